import { type LikePiece, pieceSearch } from './like-search.ts';

/** A pattern in pieces: any characters, one character, or a text as it stands. No two `%` or texts follow each other. */
export type LikeToken = '%' | '_' | LikeText;

export interface LikeText {
  readonly text: string;
}

/** The pieces of a pattern. `\%` and `\_` stand for themselves; any other backslash is a backslash. */
export function likeTokens(pattern: string): readonly LikeToken[] {
  const tokens: LikeToken[] = [];
  let text = '';
  const flush = () => {
    if (text !== '') tokens.push({ text });
    text = '';
  };
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    const next = pattern[at + 1];
    if (char === '\\' && (next === '%' || next === '_')) {
      text += next;
      at++;
    } else if (char === '%' || char === '_') {
      flush();
      if (char === '_' || tokens.at(-1) !== '%') tokens.push(char);
    } else text += char;
  }
  flush();
  return tokens;
}

/**
 * A text as a pattern that fits only it. Beware of what follows: a backslash before a wildcard takes it for itself, so
 * after a text that ends with one no wildcard can be written (see {@link endsInBackslash}).
 */
export function escapeLike(text: string): string {
  return text.replace(/[%_]/g, '\\$&');
}

/** Would a wildcard after this text be read as itself? */
export function endsInBackslash(text: string): boolean {
  return text.endsWith('\\');
}

/**
 * A test for a pattern. `_` is one Unicode code point, a surrogate without its other half being one too. Takes time in the
 * order of the length of the text, or of text × pattern / 32 at worst: each piece between two `%` is taken at its first place,
 * which never has to be taken back.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const tokens = likeTokens(pattern);
  if (tokens.includes('_') || LONE_SURROGATE.test(pattern)) return general(tokens);
  const texts = tokens.map((token) => (typeof token === 'string' ? undefined : token.text));
  const [first, second, third] = texts;
  // The shapes that people write, each with as little to do as it needs.
  if (texts.length === 0) return (text) => text === '';
  if (texts.length === 1) return first === undefined ? () => true : (text) => text === first;
  if (texts.length === 2) {
    return first === undefined ? (text) => text.endsWith(second!) : (text) => text.startsWith(first);
  }
  if (texts.length === 3 && first === undefined) return (text) => text.includes(second!);
  if (texts.length === 3) {
    const shortest = first!.length + third!.length;
    return (text) => text.length >= shortest && text.startsWith(first!) && text.endsWith(third!);
  }
  return textsInOrder(texts);
}

/** One half of a pair without the other: it could fit half a code point. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Texts with `%` (here undefined) between them, at one end or at both. */
function textsInOrder(pieces: readonly (string | undefined)[]): (text: string) => boolean {
  const head = pieces[0] ?? '';
  const tail = pieces.at(-1) ?? '';
  const last = pieces.length - (tail === '' ? 0 : 1);
  const inner = pieces.slice(head === '' ? 0 : 1, last).filter((piece) => piece !== undefined);
  return (text) => {
    if (!text.startsWith(head) || !text.endsWith(tail)) return false;
    let at = head.length;
    for (const piece of inner) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= text.length - tail.length;
  };
}

/** Any pattern, by code points. */
function general(tokens: readonly LikeToken[]): (text: string) => boolean {
  const pieces: ('_' | LikeText)[][] = [[]];
  for (const token of tokens) {
    if (token === '%') pieces.push([]);
    else pieces.at(-1)!.push(token);
  }
  const head: LikePiece = pieces[0]!;
  const inner: LikePiece[] = pieces.slice(1);
  const tail = inner.pop();
  if (tail === undefined) return (text) => fitFrom(head, text, 0) === text.length;
  const searches = inner.map(pieceSearch);
  return (text) => {
    let at = fitFrom(head, text, 0);
    const end = at < 0 ? -1 : fitTo(tail, text);
    if (end < at || at < 0) return false;
    for (let index = 0; index < inner.length; index++) {
      at = searches[index]?.end(text, at) ?? firstEnd(inner[index]!, text, at, end);
      if (at < 0) return false;
    }
    return at <= end;
  };
}

/** Where the first fit ends that begins between `from` and `end`; -1 for none. */
function firstEnd(piece: LikePiece, text: string, from: number, end: number): number {
  let at = from;
  let next = fitFrom(piece, text, at);
  while (next < 0 && at < end) {
    at = after(text, at);
    next = fitFrom(piece, text, at);
  }
  return next;
}

/** Where the piece ends if it begins at `at`; -1 if it does not fit there. */
function fitFrom(piece: LikePiece, text: string, at: number): number {
  let end = at;
  for (const part of piece) {
    if (part === '_') {
      if (end >= text.length) return -1;
      end = after(text, end);
    } else {
      if (!text.startsWith(part.text, end)) return -1;
      end += part.text.length;
      if (splitsPair(text, end)) return -1;
    }
  }
  return end;
}

/** Where the piece begins if it ends with the text; -1 if it does not fit there. */
function fitTo(piece: LikePiece, text: string): number {
  let begin = text.length;
  for (let index = piece.length - 1; index >= 0; index--) {
    const part = piece[index]!;
    if (part === '_') {
      begin--;
      if (begin < 0) return -1;
      if (splitsPair(text, begin)) begin--;
    } else {
      begin -= part.text.length;
      if (begin < 0 || !text.startsWith(part.text, begin) || splitsPair(text, begin)) return -1;
    }
  }
  return begin;
}

/** The place after the code point at `at`. */
function after(text: string, at: number): number {
  return splitsPair(text, at + 1) ? at + 2 : at + 1;
}

/** Lies `at` between the two halves of one code point? */
function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}
