import { BroadcastEvent } from '../envelope/event.ts';
import { attributeReader, type FilterEvent } from './attribute-value.ts';
import type { Condition, ExpressionTest, IntegerTest, LikeTest, TextTest } from './condition.ts';
import { evaluateTree } from './evaluate.ts';
import { likeTokens } from './like.ts';
import { isInteger, textIn } from './raw-value.ts';
import { type AttributeTest, compileValueTest, FEW_TEXTS, isWithin, type ValueTest } from './value-test.ts';

/** Does the event pass? An event whose getters throw may make it throw. */
export type Predicate = (event: FilterEvent) => boolean;

/**
 * The condition as closures: no code is made at run time, so it runs under a strict content security policy. Common tests
 * have closures of their own, since each call inside one costs as much as the test.
 */
export function compileCondition(condition: Condition): Predicate {
  switch (condition.kind) {
    case 'always':
      return () => true;
    case 'never':
      return () => false;
    case 'all':
      return allOf(condition.of.map(compileCondition));
    case 'any':
      return anyOf(condition.of.map(compileCondition));
    case 'expression':
      return compileExpression(condition);
    default:
      return compileAttributeTest(condition);
  }
}

function allOf(parts: readonly Predicate[]): Predicate {
  const [a, b, c, d] = parts as [Predicate, Predicate, Predicate, Predicate];
  if (parts.length === 2) return (event) => a(event) && b(event);
  if (parts.length === 3) return (event) => a(event) && b(event) && c(event);
  if (parts.length === 4) return (event) => a(event) && b(event) && c(event) && d(event);
  return (event) => {
    for (const part of parts) if (!part(event)) return false;
    return true;
  };
}

function anyOf(parts: readonly Predicate[]): Predicate {
  const [a, b, c] = parts as [Predicate, Predicate, Predicate];
  if (parts.length === 2) return (event) => a(event) || b(event);
  if (parts.length === 3) return (event) => a(event) || b(event) || c(event);
  return (event) => {
    for (const part of parts) if (part(event)) return true;
    return false;
  };
}

function compileExpression({ of, result, functions }: ExpressionTest): Predicate {
  return (event) => {
    const { value, error } = evaluateTree(of, event, functions);
    return error === undefined && value === result;
  };
}

function compileAttributeTest(test: AttributeTest): Predicate {
  const { attribute } = test;
  if (!isPlain(attribute)) {
    const read = attributeReader(attribute);
    const accepts = compileValueTest(test);
    return (event) => accepts(read(event));
  }
  return quick(test) ?? named(attribute, compileValueTest(test));
}

/**
 * Is `event[attribute]` the attribute, on events and plain objects alike? Not for `constructor`, which is on every object,
 * nor for `epoch` and `with`, which mean something else on a BroadcastEvent.
 */
export function isPlain(attribute: string): boolean {
  if (attribute === 'expirytime') return false;
  return !(attribute in BroadcastEvent.prototype) || GETTERS.has(attribute);
}

const GETTERS: ReadonlySet<string> = new Set(['specversion', 'id', 'time', 'sequence']);

type Open = Readonly<Record<string, unknown>>;

/** Reading by a name that stands in the code is several times faster than by one in a variable. */
function named(attribute: string, accepts: ValueTest): Predicate {
  switch (attribute) {
    case 'type':
      return (event) => accepts(event.type);
    case 'source':
      return (event) => accepts(event.source);
    case 'subject':
      return (event) => accepts(event.subject);
    case 'id':
      return (event) => accepts(event.id);
    default:
      return (event) => accepts((event as Open)[attribute]);
  }
}

/** The tests that most filters consist of, in one closure each. */
function quick(test: AttributeTest): Predicate | undefined {
  switch (test.kind) {
    case 'text':
      if (test.negated) return test.values.length === 1 ? quickNotText(test) : undefined;
      if (test.values.length > FEW_TEXTS) return undefined;
      return test.values.length === 1 ? quickText(test) : quickTexts(test);
    case 'integer':
      return test.negated ? undefined : quickInteger(test);
    case 'like':
      return test.negated ? undefined : quickPrefix(test);
    default:
      return undefined;
  }
}

function quickText({ attribute, values }: TextTest): Predicate {
  const value = values[0]!;
  switch (attribute) {
    case 'type':
      return ({ type: raw }) => raw === value || (typeof raw !== 'string' && textIn(raw) === value);
    case 'source':
      return ({ source: raw }) => raw === value || (typeof raw !== 'string' && textIn(raw) === value);
    case 'subject':
      return ({ subject: raw }) => raw === value || (typeof raw !== 'string' && textIn(raw) === value);
    default:
      return (event) => {
        const raw = (event as Open)[attribute];
        return raw === value || (typeof raw !== 'string' && textIn(raw) === value);
      };
  }
}

function quickNotText({ attribute, values }: TextTest): Predicate {
  const value = values[0]!;
  return (event) => {
    const raw = (event as Open)[attribute];
    if (typeof raw === 'string') return raw !== value;
    const text = textIn(raw);
    return text !== undefined && text !== value;
  };
}

function quickTexts({ attribute, values }: TextTest): Predicate {
  // Missing ones repeat the first: a comparison with undefined would let absent attributes pass.
  const [one, two, three = one, four = one] = values as [string, string];
  const isOne = (text: unknown) => text === one || text === two || text === three || text === four;
  if (attribute === 'type') return ({ type: raw }) => isOne(typeof raw === 'string' ? raw : textIn(raw));
  return (event) => {
    const raw = (event as Open)[attribute];
    const text = typeof raw === 'string' ? raw : textIn(raw);
    return text === one || text === two || text === three || text === four;
  };
}

function quickInteger({ attribute, low, high }: IntegerTest): Predicate {
  return (event) => {
    const raw = (event as Open)[attribute];
    return isInteger(raw) ? raw >= low && raw <= high : isWithin(raw, low, high);
  };
}

/** `'order.%'`, on the attributes where it is at home. */
function quickPrefix({ attribute, pattern }: LikeTest): Predicate | undefined {
  const [first, second, ...more] = likeTokens(pattern);
  if (typeof first !== 'object' || second !== '%' || more.length > 0) return undefined;
  const { text: prefix } = first;
  const last = prefix.charCodeAt(prefix.length - 1);
  // Half a code point at the end: the general test looks at the other half.
  if (last >= 0xd800 && last <= 0xdbff) return undefined;
  switch (attribute) {
    case 'type':
      return ({ type: raw }) => begins(raw, prefix);
    case 'subject':
      return ({ subject: raw }) => begins(raw, prefix);
    default:
      return (event) => begins((event as Open)[attribute], prefix);
  }
}

function begins(raw: unknown, prefix: string): boolean {
  if (typeof raw === 'string') return raw.startsWith(prefix);
  const text = textIn(raw);
  return text?.startsWith(prefix) === true;
}
