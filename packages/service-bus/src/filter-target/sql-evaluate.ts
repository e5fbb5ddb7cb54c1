import { type FilterValue, foldCase } from '@polycast/core/filter';
import type { SqlAtom, SqlFormula, SqlOperand, SqlPattern } from './sql.ts';

/** True, false or unknown. A message is selected by true alone. */
type Truth = boolean | undefined;

/** Where the vendor's pages leave room; a filter that is pushed must be right under every reading. */
export interface SqlReading {
  /** What a comparison of unlike types gives. */
  readonly unlike: false | undefined;
  /** Does LIKE compare letters without case? */
  readonly likeFoldsCase: boolean;
  /** Is `_` one UTF-16 unit, as a character is in .NET, rather than one code point? */
  readonly underscoreIsUnit: boolean;
}

export const DEFAULT_READING: SqlReading = { unlike: undefined, likeFoldsCase: false, underscoreIsUnit: true };

/** The value of a property of the message, by its name with the scope, in lower case; undefined where it has none. */
export type Message = (column: string) => FilterValue | undefined;

/**
 * What Service Bus says to a message: three-valued logic, names of properties without case, no conversion between types.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter, "Property evaluation
 * semantics" and "Operator binding semantics"
 */
export function evaluateSql(formula: SqlFormula, message: Message, reading: SqlReading = DEFAULT_READING): Truth {
  switch (formula.kind) {
    case 'constant':
      return formula.value;
    case 'atom':
      return evaluateAtom(formula.atom, message, reading);
    case 'and':
    case 'or': {
      const decisive = formula.kind === 'or';
      let truth: Truth = !decisive;
      for (const part of formula.of) {
        const value = evaluateSql(part, message, reading);
        if (value === decisive) return decisive;
        if (value === undefined) truth = undefined;
      }
      return truth;
    }
  }
}

function evaluateAtom(atom: SqlAtom, message: Message, reading: SqlReading): Truth {
  switch (atom.kind) {
    case 'null':
      return (message(atom.column.toLowerCase()) === undefined) !== atom.negated;
    case 'in': {
      const value = message(atom.column.toLowerCase());
      if (value === undefined) return undefined;
      if (atom.negated) return allUnequal(value, atom.values, reading);
      let truth: Truth = false;
      for (const wanted of atom.values) {
        if (typeof wanted !== typeof value) truth = reading.unlike === undefined ? undefined : truth;
        else if (wanted === value) return true;
      }
      return truth;
    }
    case 'like': {
      const value = message(atom.column.toLowerCase());
      if (value === undefined) return undefined;
      if (typeof value !== 'string') return reading.unlike;
      return fits(value, atom.pattern, reading) !== atom.negated;
    }
    case 'compare': {
      const left = evaluateOperand(atom.left, message);
      const right = evaluateOperand(atom.right, message);
      if (left === undefined || right === undefined) return undefined;
      return compare(left, atom.operator, right, reading);
    }
  }
}

/** `<>` to each of the values. Under either reading, a value of another type is not known to be unequal. */
function allUnequal(value: FilterValue, values: readonly FilterValue[], { unlike }: SqlReading): Truth {
  if (values.includes(value)) return false;
  return values.every((wanted) => typeof wanted === typeof value) ? true : unlike;
}

function compare(left: FilterValue, operator: string, right: FilterValue, { unlike }: SqlReading): Truth {
  if (typeof left !== typeof right) return unlike;
  switch (operator) {
    case '=':
      return left === right;
    case '<>':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

function evaluateOperand(operand: SqlOperand, message: Message): FilterValue | undefined {
  switch (operand.kind) {
    case 'column':
      return message(operand.name.toLowerCase());
    case 'constant':
      return operand.value;
    case 'sum': {
      const left = evaluateOperand(operand.left, message);
      const right = evaluateOperand(operand.right, message);
      if (typeof left !== 'number' || typeof right !== 'number') return undefined;
      return operand.operator === '+' ? left + right : operand.operator === '-' ? left - right : left * right;
    }
  }
}

/** LIKE, from the right end of the pattern: `reachable[at]` is whether what is left of the pattern fits the text from `at`. */
function fits(text: string, { text: pattern, escapedBy }: SqlPattern, reading: SqlReading): boolean {
  const fold = (unit: string) => (reading.likeFoldsCase ? foldCase(unit) : unit);
  const units = reading.underscoreIsUnit ? text.split('') : [...text];
  const tokens = tokensOf(pattern, escapedBy, reading);
  let reachable = new Array<boolean>(units.length + 1).fill(false);
  reachable[units.length] = true;
  for (const { wildcard, unit } of tokens.reverse()) {
    const next = new Array<boolean>(units.length + 1).fill(false);
    for (let at = units.length; at >= 0; at--) {
      if (wildcard === '%') next[at] = reachable[at]! || (at < units.length && next[at + 1]!);
      else if (at < units.length)
        next[at] = reachable[at + 1]! && (wildcard === '_' || fold(units[at]!) === fold(unit));
    }
    reachable = next;
  }
  return reachable[0]!;
}

function tokensOf(pattern: string, escapedBy: string | undefined, { underscoreIsUnit }: SqlReading) {
  const units = underscoreIsUnit ? pattern.split('') : [...pattern];
  const tokens: { readonly wildcard?: '%' | '_'; readonly unit: string }[] = [];
  for (let at = 0; at < units.length; at++) {
    const unit = units[at]!;
    if (unit === escapedBy && at + 1 < units.length) tokens.push({ unit: units[++at]! });
    else if (unit === '%' || unit === '_') tokens.push({ wildcard: unit, unit });
    else tokens.push({ unit });
  }
  return tokens;
}
