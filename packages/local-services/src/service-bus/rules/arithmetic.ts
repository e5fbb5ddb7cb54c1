import { FilterEvaluationError } from './rule-error.ts';
import type { ArithmeticOperator, Value } from './tree.ts';
import { MIN_INT64, TimeSpan } from './value.ts';

/** Maximum length of concatenated strings: that of a property. */
export const MAX_VALUE = 32_768;

/**
 * As C# does it: integers have 64 bits and wrap, an integer and a double make a double, `+` joins texts, and dates and
 * spans of time add and subtract. Unknown where an operand is, or where the operator has nothing to do with the types.
 *
 * @throws FilterEvaluationError for an integer divided by zero, an overflow of a division, or a text that grows too long
 */
export function calculate(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  if (typeof left === 'bigint' && typeof right === 'bigint') return ofIntegers(operator, left, right);
  if (isNumber(left) && isNumber(right)) return ofDoubles(operator, Number(left), Number(right));
  if (operator !== '+' && operator !== '-') return undefined;
  if (typeof left === 'string' && typeof right === 'string') return operator === '+' ? join(left, right) : undefined;
  if (left instanceof TimeSpan && right instanceof TimeSpan) {
    return new TimeSpan(ofIntegers(operator, left.ticks, right.ticks));
  }
  if (left instanceof Date && right instanceof TimeSpan) {
    return dateOf(operator === '+' ? left.getTime() + right.ms : left.getTime() - right.ms);
  }
  if (left instanceof Date && right instanceof Date && operator === '-') {
    const ms = left.getTime() - right.getTime();
    return Number.isNaN(ms) ? undefined : TimeSpan.ofMs(ms);
  }
  return undefined;
}

export function sign(operator: '+' | '-', value: Value): Value {
  if (value instanceof TimeSpan) return operator === '+' ? value : new TimeSpan(BigInt.asIntN(64, -value.ticks));
  if (typeof value === 'bigint') return operator === '+' ? value : BigInt.asIntN(64, -value);
  if (typeof value === 'number') return operator === '+' ? value : -value;
  return undefined;
}

function ofIntegers(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, left + right);
    case '-':
      return BigInt.asIntN(64, left - right);
    case '*':
      return BigInt.asIntN(64, left * right);
  }
  if (right === 0n) throw new FilterEvaluationError('An integer is divided by zero.');
  if (left === MIN_INT64 && right === -1n) throw new FilterEvaluationError('A division exceeds 64 bits.');
  return operator === '/' ? left / right : left % right;
}

function ofDoubles(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
  }
}

function join(left: string, right: string): string {
  if (left.length + right.length > MAX_VALUE) {
    throw new FilterEvaluationError(`A string exceeds ${MAX_VALUE} characters.`);
  }
  return left + right;
}

function dateOf(ms: number): Date {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new FilterEvaluationError('A date is out of range.');
  return date;
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}
