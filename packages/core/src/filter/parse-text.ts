import { nearest } from '../configuration/nearest.ts';
import { PolycastError } from '../contract/error.ts';
import { parseInteger } from './cast.ts';
import { Lexer } from './lexer.ts';
import { attributeFault, isFunctionName } from './names.ts';
import { quote } from './syntax-error.ts';
import {
  type ArithmeticOperator,
  type CompareOperator,
  type FilterTree,
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_NODES,
} from './tree.ts';

/**
 * CESQL 1.0 text as a tree.
 * @throws PolycastError `invalid-filter`; where it is a mistake in the text, its cause is a FilterSyntaxError.
 */
export function parseText(text: string): FilterTree {
  if (text.length > MAX_FILTER_LENGTH) {
    throw new PolycastError('invalid-filter', `the filter is longer than ${MAX_FILTER_LENGTH} characters`);
  }
  return new Parser(text).whole();
}

/** How tightly what stands between two operands binds them. AND, OR and XOR are equals. */
const LOGIC = 1;
const COMPARE = 2;
const ADD = 3;
const MULTIPLY = 4;
const POSTFIX = 5;
const LEVELS: ReadonlyMap<string, number> = new Map([
  ...['AND', 'OR', 'XOR'].map((word) => [word, LOGIC] as const),
  ...['=', '!=', '<>', '<', '<=', '>', '>='].map((symbol) => [symbol, COMPARE] as const),
  ...['+', '-'].map((symbol) => [symbol, ADD] as const),
  ...['*', '/', '%'].map((symbol) => [symbol, MULTIPLY] as const),
  ...['LIKE', 'IN', 'NOT'].map((word) => [word, POSTFIX] as const),
]);

const OPERANDS = ['an attribute', 'a string', 'an integer', 'TRUE', 'FALSE', 'NOT', 'EXISTS', 'a function', '-', '('];
const OPERATORS = [...LEVELS.keys()].filter((operator) => operator !== '<>');

/** A bracket around every node, and some: what printFilter writes can always be read. */
const MAX_NESTING = 2 * MAX_FILTER_DEPTH + 10;

/** Recursive descent; brackets and prefix operators are counted on the way in, so the stack stays shallow. */
class Parser {
  readonly #lexer: Lexer;
  /** Of the node made last. */
  #depth = 0;
  #nesting = 0;
  #nodes = 0;
  /** What may follow a whole expression here. */
  #closing: readonly string[] = ['end of filter'];

  constructor(text: string) {
    this.#lexer = new Lexer(text);
  }

  whole(): FilterTree {
    const tree = this.#expression(LOGIC);
    if (this.#lexer.kind !== 'end') this.#failAtOperator();
    return tree;
  }

  /** Operands joined by operators that bind at least as tightly as `level`, equals from the left. */
  #expression(level: number): FilterTree {
    const lexer = this.#lexer;
    let left = this.#unary();
    for (;;) {
      const { kind, what } = lexer;
      const binds = kind === 'keyword' || kind === 'symbol' ? LEVELS.get(what) : undefined;
      if (binds === undefined || binds < level) return left;
      lexer.next();
      if (binds === POSTFIX) left = this.#postfix(left, what);
      else {
        const depth = this.#depth;
        const right = this.#expression(binds + 1);
        left = this.#join(left, what, right, depth);
      }
    }
  }

  #join(left: FilterTree, what: string, right: FilterTree, depth: number): FilterTree {
    const both = Math.max(depth, this.#depth);
    if (what === 'AND' || what === 'OR') return this.#logic(what === 'AND' ? 'and' : 'or', left, right, depth);
    if (what === 'XOR') return this.#node({ kind: 'xor', left, right }, both);
    if (LEVELS.get(what) === COMPARE) {
      const operator = (what === '<>' ? '!=' : what) as CompareOperator;
      return this.#node({ kind: 'compare', operator, left, right }, both);
    }
    return this.#node({ kind: 'arithmetic', operator: what as ArithmeticOperator, left, right }, both);
  }

  /** `a AND b` AND `c` is one node of three; a node of this parse has no other holder, so it can grow. */
  #logic(kind: 'and' | 'or', left: FilterTree, right: FilterTree, leftDepth: number): FilterTree {
    const operands = (node: FilterTree) => (node.kind === kind ? (node.of as FilterTree[]) : [node]);
    // The depth that the operands would have by themselves.
    const inner = (node: FilterTree, depth: number) => (node.kind === kind ? depth - 1 : depth);
    const depth = Math.max(inner(left, leftDepth), inner(right, this.#depth));
    const of = operands(left);
    for (const operand of operands(right)) of.push(operand);
    if (left.kind === kind) this.#nodes--;
    return this.#node(left.kind === kind ? left : { kind, of }, depth);
  }

  #postfix(of: FilterTree, what: string): FilterTree {
    const lexer = this.#lexer;
    let word = what;
    if (what === 'NOT') {
      word = lexer.kind === 'keyword' ? lexer.what : '';
      if (word !== 'LIKE' && word !== 'IN') throw lexer.error(['LIKE', 'IN']);
      lexer.next();
    }
    let node: FilterTree;
    if (word === 'LIKE') {
      if (lexer.kind !== 'text') throw lexer.error(['a string'], '; the LIKE pattern must be a string literal');
      node = this.#node({ kind: 'like', of, pattern: lexer.what }, this.#depth);
      lexer.next();
    } else {
      const depth = this.#depth;
      if (!this.#at('(')) throw lexer.error(['(']);
      lexer.next();
      const values = this.#items();
      node = this.#node({ kind: 'in', of, values }, Math.max(depth, this.#depth));
    }
    return what === 'NOT' ? this.#node({ kind: 'not', of: node }, this.#depth) : node;
  }

  #unary(): FilterTree {
    const lexer = this.#lexer;
    const { kind, what, start } = lexer;
    switch (kind) {
      case 'word':
        lexer.next();
        return this.#at('(') ? this.#call(what, start) : this.#attribute(what, start);
      case 'text':
        lexer.next();
        return this.#node({ kind: 'literal', value: what }, 0);
      case 'integer':
        return this.#integer('', start);
      case 'keyword':
        return this.#keyword(what);
      case 'symbol':
        if (what === '(') return this.#bracket();
        if (what === '-' || what === '+') return this.#sign(what);
        break;
    }
    return this.#failAtOperand();
  }

  #keyword(what: string): FilterTree {
    const lexer = this.#lexer;
    if (what === 'TRUE' || what === 'FALSE') {
      lexer.next();
      return this.#node({ kind: 'literal', value: what === 'TRUE' }, 0);
    }
    if (what === 'NOT') {
      this.#enter();
      lexer.next();
      const of = this.#unary();
      this.#nesting--;
      return this.#node({ kind: 'not', of }, this.#depth);
    }
    if (what !== 'EXISTS') return this.#failAtOperand();
    lexer.next();
    const { kind, what: name, start } = lexer;
    if (kind !== 'word') throw lexer.error(['an attribute']);
    lexer.next();
    this.#attribute(name, start);
    return this.#node({ kind: 'exists', name: name.toLowerCase() }, 0);
  }

  /** A sign that stands right before digits belongs to them. */
  #sign(sign: '+' | '-'): FilterTree {
    const lexer = this.#lexer;
    const { start, end } = lexer;
    this.#enter();
    lexer.next();
    if (lexer.kind === 'integer' && lexer.start === end) {
      this.#nesting--;
      return this.#integer(sign, start);
    }
    if (sign === '+') throw lexer.error(['an integer'], '; a "+" sign must be directly followed by digits');
    const of = this.#unary();
    this.#nesting--;
    return this.#node({ kind: 'negate', of }, this.#depth);
  }

  #integer(sign: string, start: number): FilterTree {
    const lexer = this.#lexer;
    const value = parseInteger(sign + lexer.what);
    if (value === undefined)
      throw lexer.fault(`integer ${quote(sign + lexer.what)} is not between -2147483648 and 2147483647`, [], start);
    lexer.next();
    return this.#node({ kind: 'literal', value }, 0);
  }

  #attribute(word: string, start: number): FilterTree {
    const name = word.toLowerCase();
    const fault = attributeFault(name);
    if (fault !== undefined) this.#failAt(start, fault);
    return this.#node({ kind: 'attribute', name }, 0);
  }

  #call(word: string, start: number): FilterTree {
    if (!isFunctionName(word)) this.#failAt(start, 'is not a function name: use letters and "_"');
    const lexer = this.#lexer;
    lexer.next();
    this.#depth = 0;
    let args: FilterTree[] = [];
    if (this.#at(')')) lexer.next();
    else args = this.#items();
    return this.#node({ kind: 'call', name: word.toUpperCase(), args }, this.#depth);
  }

  #bracket(): FilterTree {
    const lexer = this.#lexer;
    const closing = this.#closing;
    this.#closing = [')'];
    this.#enter();
    lexer.next();
    const tree = this.#expression(LOGIC);
    if (!this.#at(')')) this.#failAtOperator();
    lexer.next();
    this.#nesting--;
    this.#closing = closing;
    return tree;
  }

  /** Expressions with commas between them, up to the closing bracket. The depth is that of the deepest. */
  #items(): FilterTree[] {
    const lexer = this.#lexer;
    const closing = this.#closing;
    this.#closing = [',', ')'];
    this.#enter();
    const items: FilterTree[] = [];
    let depth = 0;
    for (;;) {
      items.push(this.#expression(LOGIC));
      depth = Math.max(depth, this.#depth);
      const last = this.#at(')');
      if (!last && !this.#at(',')) this.#failAtOperator();
      lexer.next();
      if (last) break;
    }
    this.#nesting--;
    this.#closing = closing;
    this.#depth = depth;
    return items;
  }

  #at(symbol: string): boolean {
    return this.#lexer.kind === 'symbol' && this.#lexer.what === symbol;
  }

  /** Counts a node; `below` is the depth of its deepest operand, 0 for none. */
  #node(node: FilterTree, below: number): FilterTree {
    this.#depth = below + 1;
    if (this.#depth > MAX_FILTER_DEPTH) this.#tooDeep();
    if (++this.#nodes > MAX_FILTER_NODES) {
      throw new PolycastError('invalid-filter', `the filter has more than ${MAX_FILTER_NODES} parts`);
    }
    return node;
  }

  #enter(): void {
    if (++this.#nesting > MAX_NESTING) this.#tooDeep();
  }

  #tooDeep(): never {
    throw this.#lexer.fault(`the filter is nested deeper than ${MAX_FILTER_DEPTH} levels`);
  }

  #failAt(start: number, fault: string): never {
    // The lexer has gone on; the error is about the word that it left.
    const lexer = new Lexer(this.#lexer.text);
    lexer.end = start;
    lexer.next();
    throw lexer.fault(`${lexer.describe()} ${fault}`);
  }

  #failAtOperand(): never {
    const lexer = this.#lexer;
    const doubled = lexer.kind === 'symbol' && lexer.what === '=' && lexer.text[lexer.start - 1] === '=';
    throw lexer.error(OPERANDS, doubled ? '; use a single "=" for equality' : '');
  }

  #failAtOperator(): never {
    const lexer = this.#lexer;
    throw lexer.error([...OPERATORS, ...this.#closing], operatorHint(lexer));
  }
}

/** For a word where an operator should be. */
function operatorHint(lexer: Lexer): string {
  const before = /([A-Za-z]+)[ \t\r\n]+$/.exec(lexer.text.slice(Math.max(0, lexer.start - 40), lexer.start))?.[1];
  const prefix = before === undefined ? undefined : likeliest(before, ['NOT', 'EXISTS']);
  if (prefix !== undefined) return `; did you mean ${quote(prefix)} instead of ${quote(before!)}?`;
  if (lexer.kind !== 'word') return '';
  const word = lexer.what.toUpperCase();
  if (word === 'IS') return '; use EXISTS name or NOT EXISTS name to test whether an attribute is set';
  if (word === 'BETWEEN') return '; use name >= 1 AND name <= 9';
  const near = likeliest(word, ['AND', 'OR', 'XOR', 'LIKE', 'IN', 'NOT']);
  return near === undefined ? '' : `; did you mean ${quote(near)}?`;
}

/** In so short a list nearly every word is near: it must begin alike, or have the very same letters. */
function likeliest(written: string, words: readonly string[]): string | undefined {
  const word = written.toUpperCase();
  const letters = [...word].sort().join('');
  return nearest(word, words).find(
    (near) => near !== word && word.length > 1 && (near[0] === word[0] || [...near].sort().join('') === letters),
  );
}
