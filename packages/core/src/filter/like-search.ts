import type { LikeToken } from './like.ts';

/** A piece of a pattern between two `%`. */
export type LikePiece = readonly Exclude<LikeToken, '%'>[];

/** Shorter pieces are found sooner by trying each place. */
const MIN_LENGTH = 32;
/** Most memory for the masks of one piece, in words of 32 bits. A piece of more different characters fails early anyway. */
const MAX_MASK_WORDS = 262_144;

/** Finds where a piece with `_` first fits. */
export interface PieceSearch {
  /** The end of the first fit that begins at `from` or later; -1 for none. */
  end(text: string, from: number): number;
}

/** Undefined for a piece that is as well found by trying. */
export function pieceSearch(piece: LikePiece): PieceSearch | undefined {
  if (!piece.includes('_')) return undefined;
  const points = piece.flatMap((part) =>
    part === '_' ? [undefined] : Array.from(part.text, (char) => char.codePointAt(0)),
  );
  const words = Math.ceil(points.length / 32);
  if (points.length <= MIN_LENGTH || new Set(points).size * words > MAX_MASK_WORDS) return undefined;
  return new ShiftAnd(points, words);
}

/**
 * The shift-and method (Baeza-Yates and Gonnet, 1992): a bit for each place of the piece says whether the text so far fits
 * up to there; each character moves all of them on at once. It takes text × piece / 32 steps, where trying each place
 * takes text × piece.
 */
class ShiftAnd implements PieceSearch {
  readonly #length: number;
  /** Which places take a character: those of `_` take any. */
  readonly #masks = new Map<number, Uint32Array>();
  readonly #any: Uint32Array;
  readonly #lastBit: number;

  constructor(points: readonly (number | undefined)[], words: number) {
    this.#length = points.length;
    this.#any = new Uint32Array(words);
    this.#lastBit = 1 << ((points.length - 1) & 31);
    for (let at = 0; at < points.length; at++) if (points[at] === undefined) setBit(this.#any, at);
    for (let at = 0; at < points.length; at++) {
      const point = points[at];
      if (point === undefined) continue;
      let mask = this.#masks.get(point);
      if (mask === undefined) {
        mask = this.#any.slice();
        this.#masks.set(point, mask);
      }
      setBit(mask, at);
    }
  }

  end(text: string, from: number): number {
    if (text.length - from < this.#length) return -1;
    const state = new Uint32Array(this.#any.length);
    const last = state.length - 1;
    for (let at = from; at < text.length; ) {
      const point = text.codePointAt(at)!;
      at += point > 0xffff ? 2 : 1;
      const mask = this.#masks.get(point) ?? this.#any;
      let carry = 1;
      for (let word = 0; word <= last; word++) {
        const before = state[word]!;
        state[word] = ((before << 1) | carry) & mask[word]!;
        carry = before >>> 31;
      }
      if ((state[last]! & this.#lastBit) !== 0) return at;
    }
    return -1;
  }
}

function setBit(words: Uint32Array, at: number): void {
  words[at >> 5]! |= 1 << (at & 31);
}
