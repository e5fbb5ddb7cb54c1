/**
 * LIKE: `%` is any text, `_` any one character (a UTF-16 unit, as in .NET), and what follows the escape character means
 * itself. Letters compare with case, as texts do elsewhere in the language; the vendor's page does not say.
 *
 * Takes time in proportion to the text, whatever the pattern (at most 1,024 units of it, thirty-two at a time).
 */
export function compileLike(pattern: string, escapedBy: string | undefined): (text: string) => boolean {
  const segments = segmentsOf(pattern, escapedBy);
  const [first] = segments;
  const last = segments.at(-1)!;
  if (first === undefined || segments.length === 1) {
    return (text) => text.length === last.length && last.fitsAt(text, 0);
  }
  const middle = segments.slice(1, -1).filter(({ length }) => length > 0);
  return (text) => {
    const end = text.length - last.length;
    if (!first.fitsAt(text, 0) || !last.fitsAt(text, end)) return false;
    let at = first.length;
    for (const segment of middle) {
      const found = segment.find(text, at);
      if (found < 0) return false;
      at = found + segment.length;
    }
    return at <= end;
  };
}

/** What stands between two `%`. */
class Segment {
  /** With any character where there is a hole. */
  readonly #text: string;
  /** Where any character will do. */
  readonly #holes: ReadonlySet<number>;
  #search: ((text: string, from: number) => number) | undefined;

  constructor(text: string, holes: ReadonlySet<number>) {
    this.#text = text;
    this.#holes = holes;
  }

  get length(): number {
    return this.#text.length;
  }

  fitsAt(text: string, at: number): boolean {
    if (this.#holes.size === 0) return text.startsWith(this.#text, at);
    for (let unit = 0; unit < this.#text.length; unit++) {
      if (!this.#holes.has(unit) && text.charCodeAt(at + unit) !== this.#text.charCodeAt(unit)) return false;
    }
    return true;
  }

  /** Where it fits first, from there on; -1: nowhere. */
  find(text: string, from: number): number {
    // The engine's own search is the fastest, and on long pieces made for it the slowest.
    if (this.#holes.size === 0 && this.#text.length <= LONGEST_PLAIN) return text.indexOf(this.#text, from);
    this.#search ??= shiftAnd(this.#text, this.#holes);
    return this.#search(text, from);
  }
}

const LONGEST_PLAIN = 32;

function segmentsOf(pattern: string, escapedBy: string | undefined): Segment[] {
  const segments: Segment[] = [];
  let text = '';
  let holes = new Set<number>();
  for (let at = 0; at < pattern.length; at++) {
    const unit = pattern[at]!;
    if (unit === escapedBy && at + 1 < pattern.length) text += pattern[++at]!;
    else if (unit === '%') {
      segments.push(new Segment(text, holes));
      text = '';
      holes = new Set();
    } else {
      if (unit === '_') holes.add(text.length);
      text += unit;
    }
  }
  segments.push(new Segment(text, holes));
  return segments;
}

/**
 * Bit n of the state is set when the n first units of the piece fit what was read last: one shift and one AND a unit of
 * the text for each 32 units of the piece (Baeza-Yates and Gonnet, 1992).
 */
function shiftAnd(piece: string, holes: ReadonlySet<number>): (text: string, from: number) => number {
  const words = Math.ceil(piece.length / 32);
  const anything = new Int32Array(words);
  for (const hole of holes) anything[hole >>> 5]! |= 1 << (hole & 31);
  const masks = new Map<number, Int32Array>();
  for (let unit = 0; unit < piece.length; unit++) {
    if (holes.has(unit)) continue;
    const code = piece.charCodeAt(unit);
    let mask = masks.get(code);
    if (mask === undefined) masks.set(code, (mask = anything.slice()));
    mask[unit >>> 5]! |= 1 << (unit & 31);
  }
  const lastWord = words - 1;
  const lastBit = 1 << ((piece.length - 1) & 31);
  return (text, from) => {
    const state = new Int32Array(words);
    for (let at = from; at < text.length; at++) {
      const mask = masks.get(text.charCodeAt(at)) ?? anything;
      let carry = 1;
      for (let word = 0; word < words; word++) {
        const before = state[word]!;
        state[word] = ((before << 1) | carry) & mask[word]!;
        carry = before >>> 31;
      }
      if ((state[lastWord]! & lastBit) !== 0) return at - piece.length + 1;
    }
    return -1;
  };
}
