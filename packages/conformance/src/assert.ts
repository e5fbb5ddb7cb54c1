import { type ErrorCode, PolycastError } from '@polycast/core';

/** A clause is broken. The message says what was expected and what came instead. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';
}

/** @throws ConformanceFailure */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceFailure(message);
}

/** Structural equality of JSON values, bytes and undefined. @throws ConformanceFailure */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (!equal(actual, expected)) {
    throw new ConformanceFailure(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  }
}

/** The same values in any order. @throws ConformanceFailure */
export function sameSet(actual: readonly unknown[], expected: readonly unknown[], what: string): void {
  const key = (value: unknown) => JSON.stringify(value) ?? 'undefined';
  same(actual.map(key).sort(), expected.map(key).sort(), what);
}

/** Rejects with one of the codes (or with a TypeError, if `'TypeError'` is listed). @throws ConformanceFailure otherwise */
export async function refused(
  deed: () => unknown,
  codes: readonly (ErrorCode | 'TypeError')[],
  what: string,
): Promise<PolycastError | TypeError> {
  let outcome: unknown;
  try {
    outcome = await deed();
  } catch (thrown) {
    if (thrown instanceof TypeError && codes.includes('TypeError')) return thrown;
    if (thrown instanceof PolycastError && codes.includes(thrown.code)) {
      check(
        thrown.message.startsWith(thrown.code),
        `${what}: the message does not start with the code: ${thrown.message}`,
      );
      return thrown;
    }
    throw new ConformanceFailure(`${what}: expected ${codes.join(' or ')}, got ${showError(thrown)}`, {
      cause: thrown,
    });
  }
  throw new ConformanceFailure(`${what}: expected ${codes.join(' or ')}, but it succeeded with ${show(outcome)}`);
}

export function equal(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    if (!(left instanceof Uint8Array && right instanceof Uint8Array) || left.length !== right.length) return false;
    return left.every((byte, at) => byte === right[at]);
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const leftKeys = Object.keys(left);
  const rightKeys = Object.keys(right);
  if (leftKeys.length !== rightKeys.length) return false;
  const one = left as Record<string, unknown>;
  const other = right as Record<string, unknown>;
  return leftKeys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]));
}

/** A value for people, cut short. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes(${value.length}) [${[...value.subarray(0, 16)].join(' ')}]`;
  if (value instanceof Error) return showError(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = safely(() => String(value));
  }
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}

/** Never throws: what was thrown may be anything. */
export function showError(thrown: unknown): string {
  return safely(() => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : show(thrown)));
}

function safely(words: () => string): string {
  try {
    return words();
  } catch {
    return 'a value that cannot be shown';
  }
}
