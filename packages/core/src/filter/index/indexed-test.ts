import type { FilterEvent } from '../attribute-value.ts';
import { compileCondition, isPlain, type Predicate } from '../compile.ts';
import type { Condition } from '../condition.ts';
import { likeTokens } from '../like.ts';
import { isInteger, textIn } from '../raw-value.ts';
import { isWithin } from '../value-test.ts';
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
    return [prefixAccess(this.attribute, this.prefix)];
  }
}

/** Everything else, as its closure. */
class AnyTest implements IndexedTest {
  readonly condition: Condition;
  readonly cost: number;
  readonly holds: Predicate;

  constructor(condition: Condition) {
    this.condition = condition;
    this.cost = condition.kind === 'expression' ? 6 : condition.kind === 'all' || condition.kind === 'any' ? 5 : 3;
    this.holds = compileCondition(condition);
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
    if (!('attribute' in condition) || !isPlain(condition.attribute)) return new AnyTest(condition);
    const { attribute } = condition;
    switch (condition.kind) {
      case 'text': {
        if (condition.negated || condition.values.length > MAX_POOLED_VALUES) break;
        const [only] = condition.values as [string];
        if (condition.values.length > 1) {
          return this.#pooled(`[${attribute} ${JSON.stringify(condition.values)}`, () => new AnyTest(condition));
        }
        return this.#pooled(`=${attribute} ${only}`, () => new OneText(attribute, flat(only)));
      }
      case 'integer': {
        if (condition.negated) break;
        const { low, high } = condition;
        return this.#pooled(`<${attribute} ${low} ${high}`, () => new IntegerRange(attribute, low, high));
      }
      case 'like': {
        if (condition.negated) break;
        const { pattern } = condition;
        return this.#pooled(`%${attribute} ${pattern}`, () => {
          const prefix = prefixOf(pattern);
          return prefix === undefined ? new AnyTest(condition) : new Prefix(attribute, flat(prefix));
        });
      }
    }
    return new AnyTest(condition);
  }

  #pooled(key: string, make: () => IndexedTest): IndexedTest {
    if (key.length > MAX_POOLED_LENGTH) return make();
    let test = this.#tests.get(key);
    if (test === undefined) {
      // What is in use stays with its filters; only the chance to share it goes.
      if (this.#tests.size >= MAX_POOLED) this.#tests.clear();
      this.#tests.set(key, (test = make()));
    }
    return test;
  }
}

const MAX_POOLED = 4_096;
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
