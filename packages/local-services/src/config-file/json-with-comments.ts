import { ConfigFileError } from './error.ts';

/** No start file needs as much. */
const MAX_DEPTH = 64;

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*.*?\*\/)+/sy;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
const NUMBER = /-?\d[\d.eE+-]*/y;
const WORD = /(?:true|false|null)\b/y;

/**
 * Reads JSON that people wrote: with comments, and commas at the end, as the vendor's own file has.
 * @throws ConfigFileError with line and column, also where a name is given twice
 */
export function parseJsonWithComments(text: string): unknown {
  const reader = new Reader(text.replace(/^\uFEFF/, ''));
  const value = reader.value(0);
  if (!reader.atEnd) throw reader.fault('nothing may follow');
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#take(SPACE);
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.fault('nested too deeply');
    if (this.#next('{')) return Object.fromEntries(this.#members(depth + 1));
    if (this.#next('[')) return this.#items(depth + 1);
    return this.#literal('a value');
  }

  fault(message: string, at = this.#at): ConfigFileError {
    const before = this.#text.slice(0, at).split('\n');
    const found = at >= this.#text.length ? ' (here the file ends)' : '';
    return new ConfigFileError(`line ${before.length}, column ${before.at(-1)!.length + 1}: ${message}${found}`);
  }

  #members(depth: number): Map<string, unknown> {
    const members = new Map<string, unknown>();
    while (!this.#next('}')) {
      const start = this.#at;
      const name = this.#text[start] === '"' ? (this.#literal('a name') as string) : undefined;
      if (name === undefined) throw this.fault('expected a name in double quotes or "}"');
      if (members.has(name)) throw this.fault(`${JSON.stringify(name)} is given twice`, start);
      if (!this.#next(':')) throw this.fault('expected ":"');
      members.set(name, this.value(depth));
      if (this.#next(',')) continue;
      if (this.#next('}')) break;
      throw this.fault('expected "," or "}"');
    }
    return members;
  }

  #items(depth: number): readonly unknown[] {
    const items: unknown[] = [];
    while (!this.#next(']')) {
      items.push(this.value(depth));
      if (this.#next(',')) continue;
      if (this.#next(']')) break;
      throw this.fault('expected "," or "]"');
    }
    return items;
  }

  #literal(wanted: string): unknown {
    const start = this.#at;
    const literal = this.#take(STRING) ?? this.#take(NUMBER) ?? this.#take(WORD);
    if (literal === undefined) throw this.fault(`expected ${wanted}`);
    this.#take(SPACE);
    try {
      return JSON.parse(literal);
    } catch {
      throw this.fault(`expected ${wanted}`, start);
    }
  }

  #next(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    this.#take(SPACE);
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }
}
