import { RuleError, syntaxError } from './rule-error.ts';
import { MAX_INT64 } from './value.ts';

/**
 * `keyword` and `symbol` say which in `what`; `word` has the identifier as written, `delimited` what stands between its
 * marks, `text` the value of the constant, `parameter` the name after its `@`.
 */
export type TokenKind = 'word' | 'delimited' | 'keyword' | 'integer' | 'real' | 'text' | 'parameter' | 'symbol' | 'end';

/** Words that are no identifiers unless delimited. */
const KEYWORDS: ReadonlySet<string> = new Set('AND OR NOT IN LIKE ESCAPE IS NULL EXISTS TRUE FALSE'.split(' '));
/** Statements need no semicolon, so these begin a new one wherever they stand. */
const ACTION_KEYWORDS: ReadonlySet<string> = new Set(['SET', 'REMOVE']);

/** Reads a text token by token; it stands on one of them, at first on the first. */
export class Lexer {
  readonly text: string;
  kind: TokenKind = 'end';
  what = '';
  /** Where the token begins and ends. */
  start = 0;
  end = 0;
  readonly #isAction: boolean;

  /** @throws RuleError here and in `next` for what is no token */
  constructor(text: string, isAction: boolean) {
    this.text = text;
    this.#isAction = isAction;
    this.next();
  }

  next(): void {
    const { text } = this;
    SPACE.lastIndex = this.end;
    SPACE.test(text);
    const start = SPACE.lastIndex;
    this.start = start;
    const first = text[start];
    if (first === undefined) return this.#token('end', '', start);
    if (first === "'") return this.#between(first, 'text');
    if (first === '"') return this.#between(first, 'delimited');
    if (first === '[') return this.#between(']', 'delimited');
    if (isDigit(first) || (first === '.' && isDigit(text[start + 1]))) return this.#number();
    if (first === '@') return this.#parameter();
    const word = match(WORD, text, start);
    if (word !== undefined) return this.#word(word);
    const symbol = match(SYMBOL, text, start);
    if (symbol === undefined) throw this.error('this character has no meaning here');
    this.#token('symbol', symbol === '!=' ? '<>' : symbol, start + symbol.length);
  }

  /** Is the token this keyword or symbol? */
  is(what: string): boolean {
    return this.what === what && (this.kind === 'symbol' || this.kind === 'keyword');
  }

  /** Goes on if it is. */
  accept(what: string): boolean {
    if (!this.is(what)) return false;
    this.next();
    return true;
  }

  expect(what: string): void {
    if (!this.accept(what)) throw this.error(`${what} is expected`);
  }

  error(problem: string, position = this.start): RuleError {
    return syntaxError(this.text, position, problem);
  }

  #token(kind: TokenKind, what: string, end: number): void {
    this.kind = kind;
    this.what = what;
    this.end = end;
  }

  #word(word: string): void {
    const upper = word.toUpperCase();
    const end = this.start + word.length;
    if (KEYWORDS.has(upper) || (this.#isAction && ACTION_KEYWORDS.has(upper))) this.#token('keyword', upper, end);
    else this.#token('word', word, end);
  }

  #parameter(): void {
    const name = match(WORD, this.text, this.start + 1);
    if (name === undefined) throw this.error('a name is expected after @');
    this.#token('parameter', name, this.start + 1 + name.length);
  }

  /** Up to `close`, which is doubled where it is meant. */
  #between(close: string, kind: 'text' | 'delimited'): void {
    const { text, start } = this;
    let value = '';
    let from = start + 1;
    for (;;) {
      const at = text.indexOf(close, from);
      if (at < 0) throw this.error(`${close} is missing`);
      value += text.slice(from, at);
      if (text[at + 1] !== close) {
        if (kind === 'delimited' && value === '') throw this.error('a name is expected');
        return this.#token(kind, value, at + 1);
      }
      value += close;
      from = at + 2;
    }
  }

  #number(): void {
    const number = match(NUMBER, this.text, this.start)!;
    const end = this.start + number.length;
    // `5x` is neither a number nor a name.
    if (/[\p{L}\p{Nd}_.]/u.test(this.text[end] ?? '')) throw this.error('invalid number');
    this.#token(/^\d+$/.test(number) ? 'integer' : 'real', number, end);
  }
}

/** @throws RuleError when it does not fit into 64 bits */
export function integerOf(digits: string, lexer: Lexer): bigint {
  const value = BigInt(digits);
  if (value > MAX_INT64) throw outOfRange(lexer);
  return value;
}

/** @throws RuleError when it is too large for a double */
export function realOf(digits: string, lexer: Lexer): number {
  const value = Number(digits);
  if (!Number.isFinite(value)) throw outOfRange(lexer);
  return value;
}

function outOfRange(lexer: Lexer): RuleError {
  const message = `There was an error parsing the SQL expression: the number at character ${lexer.start + 1} is too large.`;
  return new RuleError('com.microsoft:argument-out-of-range', message, lexer.start);
}

const SPACE = /\s*/y;
/** Letters and digits are those of .NET, `Char.IsLetter` and `Char.IsDigit` of one UTF-16 unit: none beyond the first plane. */
const WORD = /(?![\u{10000}-\u{10ffff}])\p{L}(?:(?![\u{10000}-\u{10ffff}])[\p{L}\p{Nd}_])*/uy;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const SYMBOL = /<>|!=|<=|>=|[=<>+\-*/%(),.;]/y;

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function match(sticky: RegExp, text: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}
