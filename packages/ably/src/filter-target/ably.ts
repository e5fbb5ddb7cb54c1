import {
  type AcceptedValues,
  acceptedValues,
  acceptsEverything,
  atomFormula,
  bareTest,
  constantFormula,
  type ExpressionTest,
  type FilterTarget,
  type FilterValue,
  formulaOf,
  joinFormulas,
  type Loosened,
  MAX_INTEGER,
  MIN_INTEGER,
  type PushOptions,
  REQUIRED_ATTRIBUTES,
  readAttribute,
  reasonFor,
  requiredAttributes,
  splitCondition,
  type Test,
  typeAdvice,
  type ValueTest,
} from '@polycast/core/filter';
import { evaluateJmes, type JmesAtom, type JmesFormula, type JmesMessage, printJmes } from './jmespath.ts';

/**
 * The filter of an Ably subscription (`channels.getDerived(name, { filter })`, preview): JMESPath over `name`, which is the
 * event's type, and flat `headers`, which are its other attributes. Only the comparisons, `&&` and `||` that Ably's pages
 * show are written: a filter with a function that the preview lacks would keep the channel from attaching. So LIKE stays in
 * the residual.
 *
 * @see https://ably.com/docs/pub-sub/advanced#subscription-filters
 */
export const ably: FilterTarget<string> = {
  name: 'ably',
  title: 'Ably, subscription filter',
  push(condition, options) {
    const { natives, residual, reasons } = splitCondition<JmesFormula>(condition, {
      share: (part, coarse) => formulaOf(part, (test) => loosen(test, options, coarse)),
      fits: (formulas) => utf8.encode(printJmes(joinFormulas('and', formulas))).length <= MAX_BYTES,
      tooMuch: (part) =>
        reasonFor(part, `the filter is part of the channel name, which has room for ${MAX_BYTES} bytes of it`),
    });
    const formula = joinFormulas('and', natives);
    const text = natives.length === 0 ? '' : printJmes(formula);
    return {
      native: natives.length === 0 ? undefined : text,
      text,
      residual,
      reasons,
      accepts: (event) => evaluateJmes(formula, messageOf(event)),
    };
  },
};

const utf8 = new TextEncoder();
/** In base64 it is part of the channel's name, for which Ably recommends to stay well under 2,048 characters. */
const MAX_BYTES = 1_300;
/** Longest list of values that is sent, and where space is short: a value takes some 20 bytes. */
const MAX_LIST = 100;
const MAX_COARSE_VALUES = 3;

function loosen(test: Test, options: PushOptions, coarse: boolean): Loosened<JmesAtom> {
  const looksAt = test.kind === 'expression' ? bareTest(test) : test;
  if (looksAt === undefined) {
    return {
      formula: joinFormulas('and', requiredAttributes((test as ExpressionTest).of).map(presence)),
      reason: reasonFor(test, "Ably's documentation shows only comparisons of one attribute with a value"),
    };
  }
  const { attribute } = looksAt;
  const field = fieldOf(attribute);
  if (looksAt.kind === 'present') {
    if (!looksAt.negated) return { formula: presence(attribute) };
    if (REQUIRED_ATTRIBUTES.has(attribute)) return { formula: constantFormula(false) };
    return { formula: atomFormula({ field, operator: '==', value: null }) };
  }
  const sets = acceptedValues(looksAt, options);
  if (acceptsEverything(sets)) return { formula: presence(attribute) };
  const values = hasLongList(sets, coarse ? MAX_COARSE_VALUES : MAX_LIST)
    ? undefined
    : (among(sets, field) ?? butFor(sets, field));
  return values === undefined
    ? { formula: presence(attribute), reason: reasonFor(test, whyNot(looksAt, sets)) }
    : { formula: values };
}

/** The attribute is one of some values. */
function among({ types, text, integer, boolean }: AcceptedValues, field: string): JmesFormula | undefined {
  if (text.kind !== 'none' && text.kind !== 'in') return undefined;
  const equal = (value: FilterValue) => atomFormula<JmesAtom>({ field, operator: '==', value });
  const parts: JmesFormula[] = text.kind === 'in' ? text.values.map(equal) : [];
  if (integer.kind === 'in') parts.push(...integer.values.map(equal));
  else if (integer.kind !== 'none') {
    // Some implementations of JMESPath order texts and booleans among numbers.
    if (types.length > 1) return undefined;
    const numbers = numbersOf(integer, field);
    if (numbers === undefined) return undefined;
    parts.push(numbers);
  }
  return joinFormulas('or', [...parts, ...boolean.map(equal)]);
}

/** Some implementations take null for a number as well. */
function numbersOf(set: AcceptedValues['integer'], field: string): JmesFormula | undefined {
  if (set.kind !== 'range') return undefined;
  const { low, high, negated } = set;
  const compare = (operator: JmesAtom['operator'], value: number) => atomFormula<JmesAtom>({ field, operator, value });
  const isThere = atomFormula<JmesAtom>({ field, operator: '!=', value: null });
  if (negated) return joinFormulas('and', [isThere, joinFormulas('or', [compare('<', low), compare('>', high)])]);
  const ends: JmesFormula[] = [];
  if (low > MIN_INTEGER) ends.push(compare('>=', low));
  if (high < MAX_INTEGER) ends.push(compare('<=', high));
  return joinFormulas('and', [isThere, ...ends]);
}

/** The attribute is there, and none of some values. */
function butFor({ types, text, integer, boolean }: AcceptedValues, field: string): JmesFormula | undefined {
  const excluded: FilterValue[] = [];
  if (types.includes('text')) {
    if (text.kind === 'notIn') excluded.push(...text.values);
    else if (text.kind !== 'all') return undefined;
  }
  if (types.includes('integer')) {
    if (integer.kind === 'notIn') excluded.push(...integer.values);
    else if (integer.kind !== 'all') return undefined;
  }
  if (types.includes('boolean')) excluded.push(...[true, false].filter((flag) => !boolean.includes(flag)));
  return joinFormulas(
    'and',
    [null, ...excluded].map((value) => atomFormula<JmesAtom>({ field, operator: '!=', value })),
  );
}

function hasLongList({ text, integer }: AcceptedValues, most: number): boolean {
  const lists = [text, integer].flatMap((set) => (set.kind === 'in' || set.kind === 'notIn' ? [set.values] : []));
  return lists.some(({ length }) => length > most);
}

function whyNot({ attribute }: ValueTest, sets: AcceptedValues): string {
  const { types, text, integer } = sets;
  if (hasLongList(sets, MAX_LIST)) return `a list of more than ${MAX_LIST} values does not fit into a channel name`;
  const advice = types.length > 1 ? typeAdvice(attribute, text) : '';
  if (text.kind === 'number') return `CESQL casts a string such as '07' to an integer, which Ably does not do${advice}`;
  if (text.kind === 'flag') return `CESQL casts strings to booleans case-insensitively${advice}`;
  if (text.kind === 'like' || integer.kind === 'like') {
    return "LIKE would need a JMESPath function, and Ably's documentation shows only comparisons";
  }
  return `matching values may be of several types: declare the type of ${attribute}`;
}

function presence(attribute: string): JmesFormula {
  if (REQUIRED_ATTRIBUTES.has(attribute)) return constantFormula(true);
  return atomFormula({ field: fieldOf(attribute), operator: '!=', value: null });
}

function fieldOf(attribute: string): string {
  if (attribute === 'type') return 'name';
  return /^[a-z]/.test(attribute) ? `headers.${attribute}` : `headers."${attribute}"`;
}

function messageOf(event: Readonly<Record<string, unknown>>): JmesMessage {
  return (field) => readAttribute(event, field === 'name' ? 'type' : field.replace(/^headers\.|"/g, '')) ?? null;
}
