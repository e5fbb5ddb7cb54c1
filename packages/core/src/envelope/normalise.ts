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
    const bytes = bytesOf(data);
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    throw unwritable(cause);
  }
  return remade(data);
}

function remade(data: unknown): unknown {
  let copy: unknown;
  try {
    checkWritable(data, [], []);
    // A `toJSON` that returns nothing makes no text, which is no JSON either.
    copy = JSON.parse(JSON.stringify(data));
  } catch (cause) {
    throw cause instanceof PolycastError ? cause : unwritable(cause);
  }
  // A `toJSON` may have made anything.
  if (!isPlainJson(copy)) checkWritable(copy, [], []);
  return copy;
}

/** For an error of the data's own: a getter that throws, perhaps only when it is asked again. */
export function unwritable(cause: unknown): PolycastError {
  return new PolycastError('invalid-payload', 'the data cannot be represented as JSON', { cause });
}

/**
 * Is writing it as JSON and reading it back the identity? Objects with the prototype `Object` or none, arrays without
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
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    if (key === '__proto__' || key === 'constructor') return false;
    const member = (value as Record<string, unknown>)[key];
    if (typeof member !== 'string' && !isCount(member) && !isPlainJson(member, depth - 1)) return false;
  }
  return typeof (value as { toJSON?: unknown }).toJSON !== 'function';
}

/** Most numbers: told without a call of the whole. */
function isCount(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
}

/**
 * What JSON can carry, by the built-in tag: plain objects and instances of classes, arrays, and wrapped primitives. All else would
 * become an empty object, or one with the indices as keys (a Map, a typed array, an Error, …), silently.
 */
const WRITABLE = new Set(['Object', 'Array', 'String', 'Number', 'Boolean']);

/** Bytes as every transport delivers them: a plain `Uint8Array`, whatever subclass (`Buffer`) or realm they come from. */
export function bytesOf(data: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(data) || tagOf(data) !== 'Uint8Array') return undefined;
  if (Object.getPrototypeOf(data) === Uint8Array.prototype) return data as Uint8Array;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Throws for what JSON refuses or would change beyond recognition; leaves the rest to the round trip. */
function checkWritable(value: unknown, path: readonly string[], parents: readonly object[]): void {
  switch (typeof value) {
    case 'bigint':
    case 'function':
    case 'symbol':
      throw refuse(path, `a ${typeof value} cannot be represented as JSON`);
    case 'number':
      if (!Number.isFinite(value)) throw refuse(path, `${value} cannot be represented as JSON`);
      return;
    case 'object':
      break;
    default:
      return;
  }
  if (value === null) return;
  if (parents.includes(value)) throw refuse(path, 'the data contains a reference to itself');
  if (parents.length >= MAX_DEPTH) throw refuse(path, `the data is nested deeper than ${MAX_DEPTH}`);
  const tag = tagOf(value);
  if (tag === 'Uint8Array')
    throw refuse(path, 'bytes can only be the whole data; inside JSON, encode them as a base64 string');
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return;
  if (!WRITABLE.has(tag))
    throw refuse(path, `${/^[AEIOU]/.test(tag) ? 'an' : 'a'} ${tag} cannot be represented as JSON`);
  const inside = [...parents, value];
  if (Array.isArray(value)) {
    value.forEach((item, at) => {
      checkWritable(item, [...path, `[${at}]`], inside);
    });
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    if (isPrototypeKey(key, member)) throw refuse(path, `a key is "${key}", which receivers refuse`);
    checkWritable(member, [...path, `.${key}`], inside);
  }
}

function refuse(path: readonly string[], reason: string): PolycastError {
  return new PolycastError('invalid-payload', `${reason} (at data${path.join('')})`);
}
