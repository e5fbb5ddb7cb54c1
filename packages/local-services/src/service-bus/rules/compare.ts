import type { Truth, Value } from './tree.ts';
import { type Known, TimeSpan, Uuid } from './value.ts';

/**
 * `=`. Numbers compare as C# promotes them: two integers as they are, an integer and a double as doubles. Texts compare
 * by their characters. Values of unlike types are neither equal nor unequal.
 */
export function equal(left: Value, right: Value): Truth {
  if (left === undefined || right === undefined) return undefined;
  if (typeof left === typeof right && typeof left !== 'object') return left === right;
  const order = orderOf(left, right);
  if (order !== undefined) return order === 0;
  if (left instanceof Uuid && right instanceof Uuid) return left.text === right.text;
  if (left instanceof Uint8Array && right instanceof Uint8Array) return sameBytes(left, right);
  return undefined;
}

/** Negative, 0 or positive; NaN where a number is none; undefined where there is no order. */
export function orderOf(left: Known, right: Known): number | undefined {
  switch (typeof left) {
    case 'number':
      if (typeof right === 'number') return difference(left, right);
      return typeof right === 'bigint' ? difference(left, Number(right)) : undefined;
    case 'bigint':
      if (typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0;
      return typeof right === 'number' ? difference(Number(left), right) : undefined;
    case 'string':
      return typeof right === 'string' ? (left < right ? -1 : left > right ? 1 : 0) : undefined;
    case 'object':
      if (left instanceof Date && right instanceof Date) return left.getTime() - right.getTime();
      if (left instanceof TimeSpan && right instanceof TimeSpan) return orderOf(left.ticks, right.ticks);
      return undefined;
    default:
      return undefined;
  }
}

/** Infinity is equal to itself, so this is no subtraction. */
function difference(left: number, right: number): number {
  return left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
