import { type FilterValue, MAX_INTEGER, MIN_INTEGER } from './tree.ts';

// The casts of CESQL 1.0, section 3.7.

export function toText(value: FilterValue): string {
  return typeof value === 'string' ? value : String(value);
}

/** Undefined: a cast error. A text must be digits with at most a sign, and fit 32 bits. */
export function toInteger(value: FilterValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return parseInteger(value);
}

/** Undefined: a cast error. A text must be `true` or `false`, in any case. */
export function toBoolean(value: FilterValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (value.length !== 4 && value.length !== 5) return undefined;
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

const PLUS = 43;
const MINUS = 45;
const ZERO = 48;

/** Digits with at most a sign, within 32 bits; undefined for any other text. */
export function parseInteger(text: string): number | undefined {
  const sign = text.charCodeAt(0);
  let at = sign === PLUS || sign === MINUS ? 1 : 0;
  // An empty text gives NaN, which is no sign and no digit.
  if (at === text.length) return undefined;
  let value = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
    // Leading zeros may go on for ever, larger numbers may not.
    if (value > MAX_INTEGER + 1) return undefined;
  }
  if (sign === MINUS) return value === 0 ? 0 : -value >= MIN_INTEGER ? -value : undefined;
  return value <= MAX_INTEGER ? value : undefined;
}
