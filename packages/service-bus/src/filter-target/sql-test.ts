import {
  type AcceptedValues,
  acceptedValues,
  acceptsEverything,
  atomFormula,
  commonPrefix,
  constantFormula,
  escapeLike,
  type IntegerSet,
  isCaseless,
  joinFormulas,
  likeTokens,
  MAX_INTEGER,
  MIN_INTEGER,
  type PushOptions,
  REQUIRED_ATTRIBUTES,
  type TextSet,
  typeAdvice,
  type ValueTest,
} from '@polycast/core/filter';
import { columnOf } from './service-bus-columns.ts';
import type { SqlFormula, SqlOperator, SqlPattern } from './sql.ts';

/** A test as SQL, and why that holds for more, if it does. */
export interface SqlPart {
  readonly formula: SqlFormula;
  readonly reason?: string | undefined;
}

/** Longest list of values that is still sent where space is short. */
const MAX_COARSE_VALUES = 3;

/** @param coarse shortens lists to a prefix */
export function sqlOfTest(test: ValueTest, options: PushOptions, coarse: boolean): SqlPart {
  const sets = coarse ? shortened(acceptedValues(test, options)) : acceptedValues(test, options);
  const column = columnOf(test.attribute);
  if (acceptsEverything(sets)) return { formula: presence(test.attribute, column) };
  const text = sqlOfTexts(column, sets.text);
  const integer = sqlOfIntegers(column, sets.integer);
  const reasons = [...new Set([text.reason, integer.reason].filter((reason) => reason !== undefined))];
  const declare = sets.types.length > 1 ? typeAdvice(test.attribute, sets.text) : '';
  const reason = reasons.length === 0 ? undefined : reasons.join('; ') + declare;
  // Each type has been loosened on its own, and what came of them may be short to say.
  const isLoose = acceptsEverything({
    ...sets,
    text: { kind: text.isAll ? 'all' : 'none' },
    integer: { kind: integer.isAll ? 'all' : 'none' },
  });
  if (isLoose) return { formula: presence(test.attribute, column), reason };
  const flags = sets.boolean;
  const boolean: SqlFormula =
    flags.length === 0 ? constantFormula(false) : atomFormula({ kind: 'in', column, values: flags, negated: false });
  return { formula: joinFormulas('or', [text.formula, integer.formula, boolean]), reason };
}

function presence(attribute: string, column: string): SqlFormula {
  return REQUIRED_ATTRIBUTES.has(attribute)
    ? constantFormula(true)
    : atomFormula({ kind: 'null', column, negated: true });
}

/** A part for one type; `isAll`: all values of the type pass. */
interface TypePart extends SqlPart {
  readonly isAll?: boolean;
}

function sqlOfTexts(column: string, set: TextSet): TypePart {
  switch (set.kind) {
    case 'none':
      return { formula: constantFormula(false) };
    case 'all':
      return { formula: anyText(column), isAll: true };
    case 'in':
    case 'notIn':
      return { formula: atomFormula({ kind: 'in', column, values: set.values, negated: set.kind === 'notIn' }) };
    case 'number':
      return sqlOfNumbers(column, set);
    case 'flag':
      return {
        formula: like(column, { text: set.value ? '____' : '_____' }, false),
        reason: 'CESQL casts strings to booleans case-insensitively',
      };
    case 'like':
      return sqlOfLike(column, set.pattern, set.negated);
  }
}

/** Texts that are cast to one integer end in its digits, behind a sign and zeros. */
function sqlOfNumbers(column: string, { low, high, negated }: Extract<TextSet, { kind: 'number' }>): TypePart {
  const reason = "CESQL casts a string such as '07' to an integer, which Service Bus does not do";
  if (negated || low !== high) return { formula: anyText(column), isAll: true, reason };
  return { formula: like(column, { text: `%${Math.abs(low)}` }, false), reason };
}

function sqlOfLike(column: string, pattern: string, negated: boolean): TypePart {
  const tokens = likeTokens(pattern);
  const literal = tokens.map((token) => (typeof token === 'object' ? token.text : '')).join('');
  const hasUnderscore = tokens.includes('_');
  const reason = hasUnderscore
    ? '_ matches one Unicode character in CESQL, and may match half of one in Service Bus'
    : isCaseless(literal)
      ? undefined
      : 'Service Bus does not document whether LIKE is case-sensitive';
  if (negated && reason !== undefined) return { formula: anyText(column), isAll: true, reason };
  const escapedBy = ESCAPES.find((sign) => !literal.includes(sign));
  if (escapedBy === undefined)
    return { formula: anyText(column), isAll: true, reason: 'no character is left to escape wildcards with' };
  let isEscaped = false;
  const text = tokens.map((token) => {
    // One character is at least one unit.
    if (typeof token === 'string') return token === '_' ? '_%' : token;
    return token.text.replace(/[%_]/g, (wildcard) => {
      isEscaped = true;
      return escapedBy + wildcard;
    });
  });
  return {
    formula: like(
      column,
      { text: text.join('').replace(/%%+/g, '%'), escapedBy: isEscaped ? escapedBy : undefined },
      negated,
    ),
    reason,
  };
}

const ESCAPES = ['\\', '!', '~', '^', '#', '@', '$', '|'];

function sqlOfIntegers(column: string, set: IntegerSet): TypePart {
  switch (set.kind) {
    case 'none':
      return { formula: constantFormula(false) };
    case 'all':
      return { formula: anyInteger(column), isAll: true };
    case 'in':
    case 'notIn':
      return { formula: atomFormula({ kind: 'in', column, values: set.values, negated: set.kind === 'notIn' }) };
    case 'like':
      return {
        formula: anyInteger(column),
        isAll: true,
        reason: 'Service Bus does not match the digits of a number with a pattern',
      };
    case 'range': {
      const { low, high, negated } = set;
      if (negated) return { formula: joinFormulas('or', [compare(column, '<', low), compare(column, '>', high)]) };
      const ends: SqlFormula[] = [];
      if (low > MIN_INTEGER) ends.push(compare(column, '>=', low));
      if (high < MAX_INTEGER) ends.push(compare(column, '<=', high));
      return { formula: joinFormulas('and', ends) };
    }
  }
}

/** Lists that are too long become what their values have in common. */
function shortened(sets: AcceptedValues): AcceptedValues {
  return { ...sets, text: shortenedTexts(sets.text), integer: shortenedIntegers(sets.integer) };
}

function shortenedTexts(set: TextSet): TextSet {
  if (set.kind !== 'in' && set.kind !== 'notIn') return set;
  const length = set.values.reduce((sum, value) => sum + value.length, 0);
  if (set.values.length <= MAX_COARSE_VALUES && length <= 100) return set;
  if (set.kind === 'notIn') return { kind: 'all' };
  const prefix = commonPrefix(set.values).slice(0, 100);
  return prefix === '' ? { kind: 'all' } : { kind: 'like', pattern: `${escapeLike(prefix)}%`, negated: false };
}

function shortenedIntegers(set: IntegerSet): IntegerSet {
  if ((set.kind !== 'in' && set.kind !== 'notIn') || set.values.length <= MAX_COARSE_VALUES) return set;
  if (set.kind === 'notIn') return { kind: 'all' };
  const low = set.values.reduce((least, value) => Math.min(least, value));
  const high = set.values.reduce((most, value) => Math.max(most, value));
  return low === MIN_INTEGER && high === MAX_INTEGER ? { kind: 'all' } : { kind: 'range', low, high, negated: false };
}

/** True of every text, and of nothing else. */
function anyText(column: string): SqlFormula {
  return like(column, { text: '%' }, false);
}

function anyInteger(column: string): SqlFormula {
  return compare(column, '>=', MIN_INTEGER);
}

function like(column: string, pattern: SqlPattern, negated: boolean): SqlFormula {
  return atomFormula({ kind: 'like', column, pattern, negated });
}

function compare(column: string, operator: SqlOperator, value: number): SqlFormula {
  return atomFormula({
    kind: 'compare',
    operator,
    left: { kind: 'column', name: column },
    right: { kind: 'constant', value },
  });
}
