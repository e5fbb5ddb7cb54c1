import { PolycastError } from '../contract/error.ts';
import { isPrototypeKey, MAX_DEPTH } from './json.ts';

/**
 * What is published: the value itself if it is plain JSON data (or bytes), else what JSON makes of it (dates become text,
 * `toJSON` is called, undefined members go, class instances become plain objects).
 *
 * @returns undefined for undefined: an event without data
 * @throws PolycastError `invalid-payload`, naming the path, for what JSON cannot say: a cycle, a BigInt, a function,
 * a symbol, NaN and the infinities, nesting deeper than {@link MAX_DEPTH}, a key `__proto__`.
 */
export function normaliseData(data: unknown): unknown {
  try {
    // A getter or a proxy may throw anything, already here.
    if (data === undefined || isPlainJson(data)) return data;
    const copy = bytesOf(data) ?? plainOf(data, '', 'data', []);
    // A `toJSON` that returns nothing makes no text.
    if (copy !== undefined) return copy;
  } catch (cause) {
    throw cause instanceof PolycastError ? cause : unwritable(cause);
  }
  throw unwritable(undefined);
}

/** For an error of the data's own: a getter that throws, perhaps only when it is asked again. */
export function unwritable(cause: unknown): PolycastError {
  return new PolycastError('invalid-payload', 'the data cannot be represented as JSON', { cause });
}

/**
 * Is writing it as JSON and reading it back the identity? Objects with the prototype `Object`, arrays without
 * holes, strings, booleans, null, finite numbers (but -0); at most `depth` deep; no key `__proto__`.
 */
export function isPlainJson(value: unknown, depth = MAX_DEPTH): boolean {
  // In one piece: each event that is published pays for it.
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  // Finite, and not -0, which becomes 0 in JSON.
  if (typeof value === 'number') return value - value === 0 && (value !== 0 || 1 / value > 0);
  if (typeof value !== 'object' || depth === 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype) return false;
    for (let at = 0; at < value.length; at++) {
      const item: unknown = value[at];
      if (typeof item !== 'string' && !isCount(item) && !isPlainJson(item, depth - 1)) return false;
    }
    return true;
  }
  // Without a prototype it would arrive as it is in this process, and as a common object elsewhere.
  if (prototype !== Object.prototype) return false;
  for (const key in value) {
    if (key === '__proto__' || key === 'constructor') return false;
    const member = (value as Record<string, unknown>)[key];
    if (typeof member !== 'string' && !isCount(member) && !isPlainJson(member, depth - 1)) return false;
  }
  return typeof (value as { toJSON?: unknown }).toJSON !== 'function';
}

/** Most numbers: told without a call of the whole. */
function isCount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) > 0;
}

/**
 * What JSON can carry, by the built-in tag: plain objects and instances of classes, arrays, and wrapped primitives. All else would
 * become an empty object, or one with the indices as keys (a Map, a typed array, an Error, …), silently.
 */
const WRITABLE = /^(Undefined|Null|Object|Array|String|Number|Boolean)$/;

/** Bytes as every transport delivers them: a plain `Uint8Array`, whatever subclass (`Buffer`) or realm they come from. */
export function bytesOf(data: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(data) || tagOf(data) !== 'Uint8Array') return undefined;
  if (Object.getPrototypeOf(data) === Uint8Array.prototype) return data as Uint8Array;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * What JSON makes of a value, read once: what a getter or a `toJSON` returns is judged like anything else.
 * @param key its own, which `toJSON` is given @throws `invalid-payload` for what JSON refuses, or would change beyond recognition
 */
function plainOf(given: unknown, key: string, path: string, parents: readonly object[]): unknown {
  let value = given;
  if (typeof value === 'object' && value !== null) {
    // A `toJSON` of bytes (`Buffer` has one) would make a list of numbers of them.
    if (tagOf(value) === 'Uint8Array') throw refuse(path, 'bytes can only be the whole data, or base64 inside it');
    const json = value as { toJSON?: unknown };
    if (typeof json.toJSON === 'function') value = json.toJSON(key);
    if (value === null && tagOf(given) === 'Date') throw unfit(path, 'Invalid Date');
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw unfit(path, value);
    return value || 0;
  }
  const tag = tagOf(value);
  if (!WRITABLE.test(tag)) throw unfit(path, tag);
  if (typeof value !== 'object' || value === null) return value;
  if (parents.includes(value)) throw refuse(path, 'the data has a circular reference');
  if (parents.length >= MAX_DEPTH) throw refuse(path, `the data is nested deeper than ${MAX_DEPTH}`);
  const inside = [...parents, value];
  // Wrapped primitives.
  if (/^[SNB]/.test(tag)) return plainOf((value as { valueOf(): unknown }).valueOf(), key, path, inside);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    // By number: to iterate over it would run code of an array that is a class of its own.
    return Array.from(
      { length: items.length },
      (_, at) => plainOf(items[at], `${at}`, `${path}[${at}]`, inside) ?? null,
    );
  }
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const plain = plainOf(member, name, `${path}.${name}`, inside);
    if (isPrototypeKey(name, plain)) throw refuse(path, `a key is "${name}", which receivers refuse`);
    if (plain !== undefined) copy[name] = plain;
  }
  return copy;
}

function unfit(path: string, what: unknown): PolycastError {
  return refuse(path, `${what} cannot be represented as JSON`);
}

function refuse(path: string, reason: string): PolycastError {
  return new PolycastError('invalid-payload', `${reason} (at ${path})`);
}
