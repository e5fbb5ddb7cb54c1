import { toBoolean, toInteger, toText } from './cast.ts';
import type { Condition, ElementTest, FlagTest, LikeTest } from './condition.ts';
import { ALWAYS, anyOf, integerTest, NEVER, presentTest, textTest } from './condition-merge.ts';
import { likeTokens } from './like.ts';
import { type CompareOperator, type FilterValue, MAX_INTEGER, MIN_INTEGER, REQUIRED_ATTRIBUTES } from './tree.ts';

/** What an expression comes to as an operand of AND, OR or NOT: true, false, or either of them and so no error. */
export type Outcome = 'true' | 'false' | 'either';

/** An attribute as an operand: it is cast to a boolean. */
export function flagOutcome(attribute: string, outcome: Outcome): Condition {
  const flag = (value: boolean): FlagTest => ({ kind: 'flag', attribute, value });
  return outcome === 'either' ? anyOf([flag(true), flag(false)]) : flag(outcome === 'true');
}

export function literalOutcome(value: FilterValue, outcome: Outcome): Condition {
  const truth = toBoolean(value);
  return truth !== undefined && (outcome === 'either' || truth === (outcome === 'true')) ? ALWAYS : NEVER;
}

/** Every valid event has the required ones, so `EXISTS` is true of them without a look. */
export function existsOutcome(attribute: string, outcome: Outcome): Condition {
  if (REQUIRED_ATTRIBUTES.has(attribute)) return outcome === 'false' ? NEVER : ALWAYS;
  return outcome === 'either' ? ALWAYS : presentTest(attribute, outcome === 'false');
}

/** `attribute = 'x'`: the attribute is cast to a text, which cannot fail. */
export function textOutcome(attribute: string, value: string, outcome: Outcome): Condition {
  return outcome === 'either' ? presentTest(attribute, false) : textTest(attribute, [value], outcome === 'false');
}

/** `attribute = 5`, `attribute < 5` …: the attribute is cast to an integer. */
export function integerOutcome(
  attribute: string,
  operator: CompareOperator,
  value: number,
  outcome: Outcome,
): Condition {
  if (outcome === 'either') return integerTest(attribute, MIN_INTEGER, MAX_INTEGER, false);
  const [low, high] = rangeOf(operator, value);
  return integerTest(attribute, low, high, (operator === '!=') !== (outcome === 'false'));
}

/** What `attribute operator value` accepts; for `!=`, what it does not. */
function rangeOf(operator: CompareOperator, value: number): readonly [number, number] {
  switch (operator) {
    case '<':
      return [MIN_INTEGER, value - 1];
    case '<=':
      return [MIN_INTEGER, value];
    case '>':
      return [value + 1, MAX_INTEGER];
    case '>=':
      return [value, MAX_INTEGER];
    default:
      return [value, value];
  }
}

export function likeOutcome(attribute: string, pattern: string, outcome: Outcome): Condition {
  const negated = outcome === 'false';
  const tokens = likeTokens(pattern);
  const [first] = tokens;
  if (outcome === 'either') return presentTest(attribute, false);
  if (first === undefined) return textTest(attribute, [''], negated);
  if (tokens.length === 1 && first === '%') return negated ? NEVER : presentTest(attribute, false);
  if (tokens.length === 1 && typeof first === 'object') return textTest(attribute, [first.text], negated);
  const test: LikeTest = { kind: 'like', attribute, pattern, negated };
  return test;
}

/** `attribute IN (elements)` and `element = attribute`: each element is cast to the type that the attribute has. */
export function elementOutcome(attribute: string, all: readonly FilterValue[], outcome: Outcome): Condition {
  const elements = all.length === 1 ? all : [...new Set(all)];
  const isIn = (): Condition => {
    const values = elements.length === 1 ? [toText(elements[0]!)] : [...new Set(elements.map(toText))];
    if (castsAgree(elements, new Set(values))) return textTest(attribute, values, false);
    return { kind: 'element', attribute, elements, negated: false };
  };
  const isNotIn: ElementTest = { kind: 'element', attribute, elements, negated: true };
  if (outcome === 'either') return anyOf([isIn(), isNotIn]);
  return outcome === 'true' ? isIn() : isNotIn;
}

/** Is an integer or a boolean equal to one of the elements, without an error before, just where its text is one of `texts`? */
function castsAgree(elements: readonly FilterValue[], texts: ReadonlySet<string>): boolean {
  return (
    agree(texts, acceptedBy(elements, toInteger), toInteger) && agree(texts, acceptedBy(elements, toBoolean), toBoolean)
  );
}

/** The values of one type that are equal to an element before the first that cannot be cast to it. */
export function acceptedBy<Value extends FilterValue>(
  elements: readonly FilterValue[],
  cast: (element: FilterValue) => Value | undefined,
): { readonly values: ReadonlySet<Value>; readonly failsAfter: boolean } {
  const values = new Set<Value>();
  for (const element of elements) {
    const value = cast(element);
    if (value === undefined) return { values, failsAfter: true };
    values.add(value);
  }
  return { values, failsAfter: false };
}

function agree<Value extends FilterValue>(
  texts: ReadonlySet<string>,
  { values }: { readonly values: ReadonlySet<Value> },
  cast: (element: FilterValue) => Value | undefined,
): boolean {
  for (const value of values) if (!texts.has(toText(value))) return false;
  for (const text of texts) {
    const value = cast(text);
    if (value !== undefined && toText(value) === text && !values.has(value)) return false;
  }
  return true;
}
