import { PolycastError } from '../contract/error.ts';

/** Where and why a filter's text cannot be read: the `cause` of an `invalid-filter` error. */
export class FilterSyntaxError extends Error {
  override readonly name = 'FilterSyntaxError';
  /** Where it was noticed: UTF-16 code units from the beginning. */
  readonly position: number;
  /** From 1. */
  readonly line: number;
  /** Characters from the beginning of the line, from 1. */
  readonly column: number;
  /** What stands there, as the message quotes it. */
  readonly found: string;
  /** What could stand there instead, one token each. Empty where no other token would help. */
  readonly expected: readonly string[];

  constructor(text: string, position: number, found: string, expected: readonly string[], reason: string) {
    const { line, column, excerpt } = placeOf(text, position);
    const wanted = expected.length > 0 ? `expected ${expected.join(' | ')}\n` : '';
    super(`${reason}\n${wanted}at line ${line}, column ${column}:\n${excerpt}`);
    this.position = position;
    this.line = line;
    this.column = column;
    this.found = found;
    this.expected = expected;
  }
}

/** The error for a filter string that cannot be parsed. */
export function syntaxError(
  text: string,
  position: number,
  found: string,
  expected: readonly string[],
  reason: string,
): PolycastError {
  const cause = new FilterSyntaxError(text, position, found, expected, reason);
  return new PolycastError('invalid-filter', cause.message, { cause });
}

/** Characters shown on either side of the place. */
const CONTEXT = 30;

function placeOf(text: string, position: number): { line: number; column: number; excerpt: string } {
  let line = 1;
  let begin = 0;
  for (let at = 0; at < position; at++) {
    if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) {
      line++;
      begin = at + 1;
    }
  }
  const rest = text.slice(position, position + 2 * CONTEXT).split(/[\r\n]/, 1)[0]!;
  const before = [...text.slice(begin, position)];
  const after = [...rest];
  const from = Math.max(0, before.length - CONTEXT);
  const to = Math.min(after.length, CONTEXT);
  const head = (from > 0 ? '…' : '') + shown(before.slice(from));
  const tail = shown(after.slice(0, to)) + (to < after.length ? '…' : '');
  return { line, column: before.length + 1, excerpt: `  ${head}${tail}\n  ${' '.repeat([...head].length)}^` };
}

/** What a terminal would not show as one character becomes one that it does. */
function shown(characters: readonly string[]): string {
  return characters.map((character) => (/[\p{Cc}\p{Cf}\p{Surrogate}]/u.test(character) ? '·' : character)).join('');
}

/** A piece of a text for a message: quoted, and cut. */
export function quote(text: string): string {
  const characters = [...text.slice(0, 64)];
  return `"${shown(characters.slice(0, 30))}${characters.length > 30 ? '…' : ''}"`;
}
