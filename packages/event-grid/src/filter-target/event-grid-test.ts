import {
  acceptedTypes,
  acceptedValues,
  acceptsEverything,
  bareTest,
  commonPrefix,
  type ExpressionTest,
  escapeLike,
  isCaseless,
  likeTokens,
  MAX_INTEGER,
  MIN_INTEGER,
  type PushOptions,
  REQUIRED_ATTRIBUTES,
  requiredAttributes,
  type Test,
  type TextSet,
  type ValueTest,
} from '@polycast/core/filter';
import { type EventGridFilter, MAX_TEXT, type NotTextOperator, type TextOperator } from './event-grid-filter.ts';

/** Filters that all match wherever the test holds, and why they match elsewhere, if they do. */
export interface EventGridPart {
  readonly filters: readonly EventGridFilter[];
  readonly reason?: string | undefined;
}

const CASE = 'Event Grid compares strings case-insensitively';
const MAX_COARSE_VALUES = 3;

/** No event matches: every event has an id. */
export const NO_EVENT: EventGridFilter = { operatorType: 'IsNullOrUndefined', key: 'id' };

export function filtersOfTest(test: Test, options: PushOptions, coarse: boolean): EventGridPart {
  const looksAt = test.kind === 'expression' ? bareTest(test) : test;
  if (looksAt === undefined) {
    return {
      filters: requiredAttributes((test as ExpressionTest).of).flatMap(presence),
      reason: 'Event Grid compares one attribute with values, and has no functions or arithmetic',
    };
  }
  const { attribute } = looksAt;
  if (looksAt.kind === 'present') {
    if (!looksAt.negated) return { filters: presence(attribute) };
    if (REQUIRED_ATTRIBUTES.has(attribute)) return { filters: [NO_EVENT] };
    return { filters: [{ operatorType: 'IsNullOrUndefined', key: attribute }] };
  }
  if (attribute === 'time' || attribute === 'expirytime') {
    return { filters: presence(attribute), reason: 'Event Grid may reformat timestamps' };
  }
  return filtersOfValues(looksAt, options, coarse);
}

function filtersOfValues(test: ValueTest, options: PushOptions, coarse: boolean): EventGridPart {
  const { attribute: key } = test;
  const sets = acceptedValues(test, options);
  if (acceptsEverything(sets)) return { filters: presence(key) };
  const passing = acceptedTypes(sets);
  const [type, ...others] = passing;
  if (type === undefined) return { filters: [NO_EVENT] };
  if (others.length > 0) {
    const article = { text: 'a text', integer: 'an integer', boolean: 'a boolean' };
    const types = passing.map((name) => article[name]).join(' or ');
    return {
      filters: presence(key),
      reason: `matching values may be ${types}, and a filter compares only one type: declare the type of ${key}`,
    };
  }
  const declared = sets.types.length === 1;
  if (type === 'text') return filtersOfTexts(key, coarse ? shortened(sets.text) : sets.text, declared);
  if (type === 'boolean') return { filters: [{ operatorType: 'BoolEquals', key, value: sets.boolean[0]! }] };
  const { integer } = sets;
  const negatable = declared ? undefined : 'a negated filter may match values of another type: declare its type';
  switch (integer.kind) {
    case 'in':
      return { filters: [{ operatorType: 'NumberIn', key, values: integer.values }] };
    case 'notIn':
      if (negatable !== undefined) return { filters: presence(key), reason: negatable };
      return { filters: [...presence(key), { operatorType: 'NumberNotIn', key, values: integer.values }] };
    case 'range': {
      const { low, high, negated } = integer;
      if (negated) {
        if (negatable !== undefined) return { filters: presence(key), reason: negatable };
        return { filters: [...presence(key), { operatorType: 'NumberNotInRange', key, values: [[low, high]] }] };
      }
      if (high === MAX_INTEGER) return { filters: [{ operatorType: 'NumberGreaterThanOrEquals', key, value: low }] };
      if (low === MIN_INTEGER) return { filters: [{ operatorType: 'NumberLessThanOrEquals', key, value: high }] };
      return { filters: [{ operatorType: 'NumberInRange', key, values: [[low, high]] }] };
    }
    default:
      return { filters: presence(key), reason: 'Event Grid does not match the digits of a number with a pattern' };
  }
}

function filtersOfTexts(key: string, set: TextSet, declared: boolean): EventGridPart {
  switch (set.kind) {
    case 'in': {
      if (set.values.some(isTooLong)) return { filters: presence(key), reason: TOO_LONG };
      return {
        filters: [{ operatorType: 'StringIn', key, values: set.values }],
        reason: set.values.every(isCaseless) ? undefined : CASE,
      };
    }
    case 'notIn':
      return withoutTexts(key, 'StringNotIn', set.values, declared);
    case 'flag':
      return { filters: [{ operatorType: 'StringIn', key, values: [String(set.value)] }], reason: CASE };
    case 'like':
      return set.negated ? unlike(key, set.pattern, declared) : like(key, set.pattern);
    case 'number':
      return { filters: presence(key), reason: 'CESQL casts strings to integers, which Event Grid does not do' };
    default:
      return { filters: presence(key), reason: 'strings only: declare the type of the attribute' };
  }
}

const TOO_LONG = `a string value is limited to ${MAX_TEXT} characters`;

/** What loosens a negated test is to leave values out of it. */
function withoutTexts(
  key: string,
  operatorType: NotTextOperator,
  values: readonly string[],
  declared: boolean,
): EventGridPart {
  const sent = declared ? values.filter((value) => isCaseless(value) && !isTooLong(value)) : [];
  const reason = !declared
    ? 'a negated filter may match values of another type: declare its type'
    : `${CASE}, so a negated filter would exclude too much`;
  return {
    filters: [...presence(key), ...(sent.length > 0 ? [{ operatorType, key, values: sent }] : [])],
    reason: sent.length === values.length ? undefined : reason,
  };
}

/** A pattern as its pieces: how it begins, how it ends, and what it contains, in whatever order. */
function like(key: string, pattern: string): EventGridPart {
  const tokens = likeTokens(pattern);
  const pieces: EventGridFilter[] = [];
  let letters = '';
  for (const [at, token] of tokens.entries()) {
    if (typeof token === 'string') continue;
    letters += token.text;
    const value = [...token.text].slice(0, MAX_TEXT / 2).join('');
    const isWhole = value === token.text;
    const operatorType: TextOperator =
      at === 0 ? 'StringBeginsWith' : at === tokens.length - 1 && isWhole ? 'StringEndsWith' : 'StringContains';
    pieces.push({ operatorType, key, values: [value] });
    if (!isWhole) letters += 'x';
  }
  if (pieces.length === 0) return { filters: presence(key), reason: 'Event Grid does not count characters' };
  const isOnePiece = pieces.length === 1 && !tokens.includes('_');
  return {
    filters: pieces,
    reason: !isCaseless(letters)
      ? CASE
      : isOnePiece
        ? undefined
        : 'Event Grid tests how a string begins or ends and what it contains, but not in which order',
  };
}

function unlike(key: string, pattern: string, declared: boolean): EventGridPart {
  const tokens = likeTokens(pattern);
  const pieces = tokens.filter((token) => typeof token === 'object');
  if (pieces.length !== 1 || tokens.includes('_')) {
    return {
      filters: presence(key),
      reason: 'Event Grid can negate only tests of how a string begins or ends, or what it contains',
    };
  }
  const operatorType: NotTextOperator =
    typeof tokens[0] === 'object'
      ? 'StringNotBeginsWith'
      : typeof tokens.at(-1) === 'object'
        ? 'StringNotEndsWith'
        : 'StringNotContains';
  return withoutTexts(key, operatorType, [pieces[0]!.text], declared);
}

/** A list that takes too many values becomes what its values start with. */
function shortened(set: TextSet): TextSet {
  if (set.kind === 'notIn') return { kind: 'notIn', values: set.values.slice(0, MAX_COARSE_VALUES) };
  if (set.kind !== 'in' || set.values.length <= MAX_COARSE_VALUES) return set;
  const prefix = commonPrefix(set.values).slice(0, MAX_TEXT);
  return prefix === '' ? { kind: 'all' } : { kind: 'like', pattern: `${escapeLike(prefix)}%`, negated: false };
}

export function presence(key: string): readonly EventGridFilter[] {
  return REQUIRED_ATTRIBUTES.has(key) ? [] : [{ operatorType: 'IsNotNull', key }];
}

function isTooLong(value: string): boolean {
  return value.length > MAX_TEXT;
}
