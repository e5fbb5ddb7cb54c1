import { quote, syntaxError } from './syntax-error.ts';

/** `keyword`, `symbol` and `end` say which in `what`; the others have their text in `what`. */
export type TokenKind = 'word' | 'keyword' | 'integer' | 'text' | 'symbol' | 'end';

export const KEYWORDS: ReadonlySet<string> = new Set([
  'AND',
  'OR',
  'XOR',
  'NOT',
  'LIKE',
  'EXISTS',
  'IN',
  'TRUE',
  'FALSE',
]);
const LONGEST_KEYWORD = 6;

/** Reads a filter's text token by token; it stands on one of them, at first on the first. */
export class Lexer {
  readonly text: string;
  kind: TokenKind = 'end';
  /** A keyword in upper case, a symbol, the value of a text, or the word or the integer as written. */
  what = '';
  /** Where the token begins and ends. */
  start = 0;
  end = 0;

  constructor(text: string) {
    this.text = text;
    this.next();
  }

  next(): void {
    const { text } = this;
    let at = this.end;
    let code = text.charCodeAt(at);
    while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++at);
    this.start = at;
    if (at >= text.length) {
      this.end = at;
      this.kind = 'end';
      this.what = '';
    } else if (isWordCode(code)) this.#word();
    else if (code === QUOTE || code === DOUBLE_QUOTE) this.#text(code);
    else this.#symbol(code);
  }

  /** As messages name it. */
  describe(): string {
    if (this.kind === 'end') return 'end of filter';
    return this.kind === 'text' ? `string ${quote(this.what)}` : quote(this.text.slice(this.start, this.end));
  }

  /** The error that the token is unexpected. */
  error(expected: readonly string[], hint = ''): Error {
    return this.fault(`unexpected ${this.describe()}${hint}`, expected);
  }

  /** An error at the token, or at a position before it. */
  fault(reason: string, expected: readonly string[] = [], position = this.start): Error {
    return syntaxError(this.text, position, this.describe(), expected, reason);
  }

  #word(): void {
    const { text, start } = this;
    let at = start;
    let digitsOnly = true;
    for (let code = text.charCodeAt(at); isWordCode(code); code = text.charCodeAt(++at)) {
      if (code > NINE) digitsOnly = false;
    }
    this.end = at;
    this.what = text.slice(start, at);
    this.kind = digitsOnly ? 'integer' : 'word';
    if (!digitsOnly && at - start <= LONGEST_KEYWORD) {
      const upper = this.what.toUpperCase();
      if (KEYWORDS.has(upper)) {
        this.kind = 'keyword';
        this.what = upper;
      }
    }
  }

  /**
   * Between two quotes of the same kind. A quote of that kind inside has a backslash before it, or is doubled. Backslashes
   * stand for themselves but before such a quote, inside or at the end, where two of them stand for one: so every text can
   * be written, and the patterns of LIKE keep theirs.
   */
  #text(delimiter: number): void {
    const { text, start } = this;
    let value = '';
    let from = start + 1;
    let at = from;
    for (;;) {
      const code = text.charCodeAt(at);
      if (at >= text.length) {
        throw syntaxError(text, start, 'end of filter', [text[start]!], 'unterminated string');
      }
      if (code === BACKSLASH) {
        const run = at;
        do at++;
        while (text.charCodeAt(at) === BACKSLASH);
        if (text.charCodeAt(at) !== delimiter) continue;
        value += text.slice(from, run + ((at - run) >> 1));
        from = at;
        // After an odd one the quote is part of the text, else it is looked at again.
        if (((at - run) & 1) === 1) at++;
      } else if (code === delimiter) {
        value += text.slice(from, at);
        if (text.charCodeAt(at + 1) !== delimiter) break;
        from = at + 1;
        at += 2;
      } else at++;
    }
    this.kind = 'text';
    this.what = value;
    this.end = at + 1;
  }

  #symbol(code: number): void {
    const { text, start } = this;
    const first = text[start]!;
    const two = text.slice(start, start + 2);
    if (two === '<=' || two === '>=' || two === '<>' || two === '!=') this.what = two;
    else if (code < 128 && SYMBOLS.includes(first)) this.what = first;
    else {
      const character = String.fromCodePoint(text.codePointAt(start)!);
      const hint = HINTS.get(two) ?? HINTS.get(character) ?? '';
      const found = quote(HINTS.has(two) ? two : character);
      throw syntaxError(text, start, found, [], `unexpected ${found}${hint}`);
    }
    this.kind = 'symbol';
    this.end = start + this.what.length;
  }
}

const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const BACKSLASH = 92;
const NINE = 57;
const SYMBOLS = '()=<>+-*/%,';

/** What people write who come from other languages. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['&&', '; use AND'],
  ['&', '; use AND'],
  ['||', '; use OR'],
  ['|', '; use OR'],
  ['^', '; use XOR'],
  ['!', '; use NOT, or != for "not equal"'],
  ['~', '; use LIKE with a pattern'],
  ['[', '; lists are written in parentheses: (1, 2)'],
  ['{', '; lists are written in parentheses: (1, 2)'],
  ['.', '; an attribute is a single word, and filters cannot access the data'],
  [';', '; a filter is a single expression'],
  ['`', "; attributes are written without quotes, strings as 'text'"],
  ['“', "; strings are written as 'text'"],
  ['”', "; strings are written as 'text'"],
  ['‘', "; strings are written as 'text'"],
  ['’', "; strings are written as 'text'"],
]);

/** Letters, digits and `_`, which only the names of functions may hold. */
function isWordCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 48 && code <= NINE) || (code >= 65 && code <= 90) || code === UNDERSCORE
  );
}

const UNDERSCORE = 95;
