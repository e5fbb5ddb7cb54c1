import { PolycastError } from '../contract/error.ts';

/** Deepest nesting of arrays and objects that is read or written. */
export const MAX_DEPTH = 64;

/**
 * Parses JSON that came off a wire. Nesting beyond {@link MAX_DEPTH} is refused, and so are keys that could reach a
 * prototype when somebody merges the value into an object: `__proto__`, and `constructor` with a `prototype` inside.
 * @param isShallow is it known not to be nested that deeply?
 * @throws PolycastError `corrupt-event`
 */
export function parseJson(text: string, isShallow = false): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PolycastError('corrupt-event', 'the data is not JSON', { cause });
  }
  if (
    !isShallow &&
    text.length > 2 * MAX_DEPTH &&
    opensOften(text) &&
    endOfValue(text, skipSpace(text, 0), MAX_DEPTH) < 0
  ) {
    throw new PolycastError('corrupt-event', `the data is nested deeper than ${MAX_DEPTH}`);
  }
  // Both names hold "proto", unless a part of them is written as an escape.
  if (text.includes('proto') || text.includes('\\u')) refusePrototypeKeys(value);
  return value;
}

/** Could it be nested too deeply? Cheap, and right when it says no. */
export function opensOften(text: string): boolean {
  let opened = 0;
  for (const bracket of '{[') {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++opened > MAX_DEPTH) return true;
    }
  }
  return false;
}

function refusePrototypeKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) refusePrototypeKeys(item);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    if (isPrototypeKey(key, member)) throw new PolycastError('corrupt-event', `the data has a key "${key}"`);
    refusePrototypeKeys(member);
  }
}

/** Would merging this member into an object reach a prototype? */
export function isPrototypeKey(key: string, member: unknown): boolean {
  if (key === '__proto__') return true;
  return key === 'constructor' && typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/**
 * Where the JSON value that starts at `at` ends (exclusive): -1 when it never does, -2 when it is nested beyond `maxDepth`.
 * Looks at quotes and brackets only: right for every valid text, and what is invalid inside is found when it is parsed.
 */
export function endOfValue(text: string, at: number, maxDepth: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return endOfString(text, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfWord(text, at);
  let depth = 0;
  const length = text.length;
  for (let here = at; here < length; here++) {
    const unit = text.charCodeAt(here);
    if (unit === QUOTE) {
      here = endOfString(text, here) - 1;
      if (here < 0) return -1;
    } else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (++depth > maxDepth) return -2;
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      if (--depth === 0) return here + 1;
    }
  }
  return -1;
}

/** Where the string whose opening quote is at `at` ends (exclusive); -1 when it never does. */
export function endOfString(text: string, at: number): number {
  const length = text.length;
  for (let here = at + 1; here < length; here++) {
    const unit = text.charCodeAt(here);
    if (unit === QUOTE) return here + 1;
    if (unit === BACKSLASH) here++;
  }
  return -1;
}

function endOfWord(text: string, at: number): number {
  let here = at;
  for (; here < text.length; here++) {
    const unit = text.charCodeAt(here);
    if (unit === COMMA || unit === CLOSE_BRACE || unit === CLOSE_BRACKET || unit <= 0x20) break;
  }
  return here > at ? here : -1;
}

/** The first position from `at` on that holds no JSON white space. */
export function skipSpace(text: string, at: number): number {
  let here = at;
  for (;;) {
    const unit = text.charCodeAt(here);
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return here;
    here++;
  }
}
