import type { FilterEvent } from '../attribute-value.ts';
import { compileCondition, isPlain, type Predicate } from '../compile.ts';
import type { Condition } from '../condition.ts';
import { likeTokens } from '../like.ts';
import { isInteger, textIn } from '../raw-value.ts';
import { type AttributeTest, isWithin } from '../value-test.ts';
import { type Access, elementAccesses, integerAccesses, likeAccesses, prefixAccess, textAccesses } from './access.ts';

/**
 * A part of a filter in the index: it tests an event, and tells how it can be found. A million filters hold several
 * millions of these, so the most frequent ones are small objects instead of closures.
 */
export interface IndexedTest {
  /** The cheaper, the earlier it is looked at. */
  readonly cost: number;
  holds(event: FilterEvent): boolean;
  accesses(): readonly Access[];
}

type Open = Readonly<Record<string, unknown>>;

class OneText implements IndexedTest {
  readonly attribute: string;
  readonly text: string;

  constructor(attribute: string, text: string) {
    this.attribute = attribute;
    this.text = text;
  }

  get cost(): number {
    return 0;
  }

  holds(event: FilterEvent): boolean {
    const raw = (event as Open)[this.attribute];
    return raw === this.text || (typeof raw !== 'string' && textIn(raw) === this.text);
  }

  accesses(): readonly Access[] {
    return textAccesses(this.attribute, [this.text]);
  }
}

class IntegerRange implements IndexedTest {
  readonly attribute: string;
  readonly low: number;
  readonly high: number;

  constructor(attribute: string, low: number, high: number) {
    this.attribute = attribute;
    this.low = low;
    this.high = high;
  }

  get cost(): number {
    return 1;
  }

  holds(event: FilterEvent): boolean {
    const raw = (event as Open)[this.attribute];
    return isInteger(raw) ? raw >= this.low && raw <= this.high : isWithin(raw, this.low, this.high);
  }

  accesses(): readonly Access[] {
    return integerAccesses(this.attribute, this.low, this.high);
  }
}

class Prefix implements IndexedTest {
  readonly attribute: string;
  readonly prefix: string;

  constructor(attribute: string, prefix: string) {
    this.attribute = attribute;
    this.prefix = prefix;
  }

  get cost(): number {
    return 2;
  }

  holds(event: FilterEvent): boolean {
    return textIn((event as Open)[this.attribute])?.startsWith(this.prefix) === true;
  }

  accesses(): readonly Access[] {
    return [prefixAccess(this.attribute, this.prefix, true)];
  }
}

/** Everything else. Most are proven on the way to their filter, so the closure is made when one is first needed. */
class AnyTest implements IndexedTest {
  readonly condition: Condition;
  readonly cost: number;
  #predicate: Predicate | undefined;

  constructor(condition: Condition) {
    this.condition = condition;
    this.cost = condition.kind === 'expression' ? 6 : condition.kind === 'all' || condition.kind === 'any' ? 5 : 3;
  }

  holds(event: FilterEvent): boolean {
    this.#predicate ??= compileCondition(this.condition);
    return this.#predicate(event);
  }

  accesses(): readonly Access[] {
    const { condition } = this;
    switch (condition.kind) {
      case 'text':
        return condition.negated ? [] : textAccesses(condition.attribute, condition.values);
      case 'element':
        return elementAccesses(condition);
      case 'integer':
        return condition.negated ? [] : integerAccesses(condition.attribute, condition.low, condition.high);
      case 'like':
        return likeAccesses(condition);
      default:
        return [];
    }
  }
}

/** Tests and texts that were met lately: filters of one program share most of theirs. */
export class TestPool {
  readonly #tests = new Map<string, IndexedTest>();

  testOf(condition: Condition): IndexedTest {
    if (condition.kind === 'expression' || !('attribute' in condition)) return new AnyTest(condition);
    const key = keyOf(condition);
    if (key === undefined || key.length > MAX_POOLED_LENGTH) return makeTest(condition);
    let test = this.#tests.get(key);
    if (test === undefined) {
      // What is in use stays with its filters; only the chance to share it goes.
      if (this.#tests.size >= MAX_POOLED) this.clear();
      this.#tests.set(key, (test = makeTest(condition)));
    }
    return test;
  }

  clear(): void {
    this.#tests.clear();
  }
}

/** Tests with the same key are the same. Undefined: too long to be worth a look. */
function keyOf(test: AttributeTest): string | undefined {
  const { kind, attribute } = test;
  switch (kind) {
    case 'text':
      if (test.values.length === 1) return `${test.negated ? '!' : '='}${attribute} ${test.values[0]}`;
      if (test.values.length > MAX_POOLED_VALUES) return undefined;
      return `${test.negated ? '!' : '='}[${attribute} ${JSON.stringify(test.values)}`;
    case 'integer':
      return `${test.negated ? '>' : '<'}${attribute} ${test.low} ${test.high}`;
    case 'like':
      return `${test.negated ? '^' : '%'}${attribute} ${test.pattern}`;
    case 'present':
      return `${test.negated ? '-' : '+'}${attribute}`;
    case 'flag':
      return `?${attribute} ${test.value}`;
    case 'element':
      return undefined;
  }
}

function makeTest(test: AttributeTest): IndexedTest {
  const { kind, attribute } = test;
  if (!isPlain(attribute) || kind === 'present' || kind === 'flag' || test.negated) return new AnyTest(test);
  if (kind === 'text' && test.values.length === 1) return new OneText(attribute, flat(test.values[0]!));
  if (kind === 'integer') return new IntegerRange(attribute, test.low, test.high);
  const prefix = kind === 'like' ? prefixOf(test.pattern) : undefined;
  return prefix === undefined ? new AnyTest(test) : new Prefix(attribute, flat(prefix));
}

const MAX_POOLED = 16_384;
const MAX_POOLED_LENGTH = 256;
const MAX_POOLED_VALUES = 8;

/** `order.` of `order.%`; undefined for any other pattern. */
function prefixOf(pattern: string): string | undefined {
  const [first, second, ...more] = likeTokens(pattern);
  if (typeof first !== 'object' || second !== '%' || more.length > 0) return undefined;
  return /[\uD800-\uDBFF]$/.test(first.text) ? undefined : first.text;
}

/** A text cut from a longer one keeps the whole of it alive, as V8 has it, unless it is short. */
function flat(text: string): string {
  return text.length < MIN_SLICE ? text : [text.slice(0, 1), text.slice(1)].join('');
}

const MIN_SLICE = 13;
