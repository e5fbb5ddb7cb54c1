import { toBoolean, toInteger, toText } from '../cast.ts';
import type { ElementTest, LikeTest } from '../condition.ts';
import { acceptedBy } from '../condition-leaf.ts';
import { likeTokens } from '../like.ts';
import { MAX_INTEGER, MIN_INTEGER } from '../tree.ts';

/**
 * How a partition tells its children apart:
 * `text` by the whole text; `range` by cells of integers; `span` by both ends of a range; `at-least` and `at-most` by a
 * threshold; `prefix` and `suffix` by the ends of a text; `piece` by a few characters in a row anywhere in it.
 */
export type AccessKind = 'text' | 'range' | 'span' | 'prefix' | 'suffix' | 'piece' | 'at-least' | 'at-most';
export type AccessKey = string | number | Interval;

/** Integers from `low` to `high`, both included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** One way to find a test: by the keys under which an event that fulfils it looks. */
export interface Access {
  readonly kind: AccessKind;
  readonly attribute: string;
  /** An event looks under at most one of them, or (`piece`) once. */
  readonly keys: readonly AccessKey[];
  /** Does finding it there prove the test? Else it must be looked at again. */
  readonly proves: boolean;
  /** Of `range` and `span`. */
  readonly interval: Interval | undefined;
  /** Which test of its place it finds. */
  test: number;
}

function access(
  kind: AccessKind,
  attribute: string,
  keys: readonly AccessKey[],
  proves: boolean,
  interval?: Interval,
): Access {
  return { kind, attribute, keys, proves, interval, test: 0 };
}

/** A test with more keys than this is looked for by another test of its filter. */
const MAX_KEYS = 16;
/** Half a code point at the end of a text fits only where the other half does not follow. */
const SPLIT_END = /[\uD800-\uDBFF]$|^[\uDC00-\uDFFF]/;

export function textAccesses(attribute: string, texts: readonly string[]): Access[] {
  return texts.length > MAX_KEYS ? [] : [access('text', attribute, texts, true)];
}

/** Integers and booleans that are equal to an element look under their text. */
export function elementAccesses({ attribute, elements, negated }: ElementTest): Access[] {
  if (negated || elements.length > MAX_KEYS) return [];
  const keys = new Set<string>(elements.map(toText));
  for (const value of acceptedBy(elements, toInteger).values) keys.add(toText(value));
  for (const value of acceptedBy(elements, toBoolean).values) keys.add(toText(value));
  return [access('text', attribute, [...keys], false)];
}

/** A range between two ends is found by cells, and among others in its cell by its ends. */
export function integerAccesses(attribute: string, low: number, high: number): Access[] {
  if (low === MIN_INTEGER && high === MAX_INTEGER) return [];
  if (high === MAX_INTEGER) return [access('at-least', attribute, [low], true)];
  if (low === MIN_INTEGER) return [access('at-most', attribute, [high], true)];
  const interval = { low, high };
  const level = levelOf(high - low + 1);
  const first = cellKey(level, low >> level);
  const last = cellKey(level, high >> level);
  const keys = first === last ? [first] : [first, last];
  const cells = access('range', attribute, keys, level === 0, interval);
  return level === 0 ? [cells] : [cells, access('span', attribute, [interval], true, interval)];
}

/** The narrowest cells of which two, side by side, can hold a range of `width`: they are 2^level wide. */
function levelOf(width: number): number {
  // A width of 2^31 or more is beyond what `>>` can tell.
  return width <= 1 ? 0 : Math.min(31, 32 - Math.clz32(Math.min(width, 2 ** 31) - 1));
}

const LEVELS = 32;

function cellKey(level: number, cell: number): number {
  return cell * LEVELS + level;
}

/** The level and the cell that a key stands for. */
export function cellOf(key: number): readonly [level: number, cell: number] {
  const cell = Math.floor(key / LEVELS);
  return [key - cell * LEVELS, cell];
}

export function prefixAccess(attribute: string, prefix: string, isWhole: boolean): Access {
  const length = affixLength(prefix.length);
  return access('prefix', attribute, [prefix.slice(0, length)], isWhole && length === prefix.length);
}

/** Up to here each length is looked for; longer affixes are cut to one of a few lengths, and tested again. */
const MAX_EXACT_LENGTH = 24;
const LONG_LENGTHS = [64, 48, 40, 32, 28, MAX_EXACT_LENGTH];

function affixLength(length: number): number {
  return length <= MAX_EXACT_LENGTH ? length : LONG_LENGTHS.find((one) => one <= length)!;
}

/** By its beginning, its end, and its longest piece. */
export function likeAccesses({ attribute, pattern, negated }: LikeTest): Access[] {
  if (negated) return [];
  const tokens = likeTokens(pattern);
  const accesses: Access[] = [];
  const [first] = tokens;
  if (typeof first === 'object') {
    const isWhole = tokens.length === 2 && tokens[1] === '%' && !SPLIT_END.test(first.text);
    accesses.push(prefixAccess(attribute, first.text, isWhole));
  }
  const last = tokens.at(-1);
  if (typeof last === 'object') {
    const length = affixLength(last.text.length);
    const isWhole = tokens.length === 2 && tokens[0] === '%' && !SPLIT_END.test(last.text);
    const proves = isWhole && length === last.text.length;
    accesses.push(access('suffix', attribute, [last.text.slice(-length)], proves));
  }
  const piece = longest(tokens.map((token) => (typeof token === 'object' ? token.text : '')));
  const length = PIECE_LENGTHS.find((one) => one <= piece.length);
  if (length !== undefined) accesses.push(access('piece', attribute, [rarestPiece(piece, length)], false));
  return accesses;
}

function longest(texts: readonly string[]): string {
  return texts.reduce((one, other) => (other.length > one.length ? other : one), '');
}

/** Pieces are looked for by few lengths, as affixes are. */
const PIECE_LENGTHS = [8, 6, 4, 3];

/** Characters in a row as a small integer, which says how many they are; different ones may share it. */
export function pieceKey(text: string, at: number, length: number): number {
  let key = 0;
  for (let next = at; next < at + length; next++) key = (Math.imul(key, 31) + text.charCodeAt(next)) | 0;
  // What the low bits lose is in the high ones.
  return (((key ^ (key >>> 15)) & 0x3ff_ffff) << 4) | length;
}

export function pieceLengthOf(key: number): number {
  return key & 15;
}

/** Letters that most texts have come first, so that a piece with others is taken. */
const COMMON = ' etaoinsrhldcumfpgwybvkxjqz0123456789';
/** Of a longer text only the beginning is searched. */
const MAX_SEARCHED = 64;

function rarestPiece(text: string, length: number): number {
  let best = 0;
  let most = -1;
  for (let at = 0; at + length <= text.length && at < MAX_SEARCHED; at++) {
    let rarity = 0;
    for (let next = at; next < at + length; next++) {
      const rank = COMMON.indexOf(text[next]!);
      rarity += rank < 0 ? COMMON.length : rank;
    }
    if (rarity > most) [best, most] = [at, rarity];
  }
  return pieceKey(text, best, length);
}
