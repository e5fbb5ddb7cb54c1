import { PolycastError } from '../contract/error.ts';
import { checkAttribute, isFunctionName } from './names.ts';
import { quote } from './syntax-error.ts';
import {
  type ArithmeticOperator,
  type CompareOperator,
  type FilterTree,
  type FilterValue,
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_NODES,
  MAX_INTEGER,
  MIN_INTEGER,
} from './tree.ts';

/**
 * A tree that somebody else made, as a fresh copy: every node known, every name and value within the language, `and` in
 * `and` flattened as the parser does. Nothing of the original is read twice or kept.
 * @throws PolycastError `invalid-filter`
 */
export function checkTree(input: unknown): FilterTree {
  try {
    return new Checker().node(input, 1, 'tree');
  } catch (thrown) {
    if (thrown instanceof PolycastError) throw thrown;
    throw new PolycastError('invalid-filter', 'the tree cannot be read', { cause: thrown });
  }
}

const COMPARISONS: ReadonlySet<unknown> = new Set<CompareOperator>(['=', '!=', '<', '<=', '>', '>=']);
const SUMS: ReadonlySet<unknown> = new Set<ArithmeticOperator>(['+', '-', '*', '/', '%']);

class Checker {
  #nodes = 0;
  #characters = 0;

  node(input: unknown, depth: number, path: string): FilterTree {
    if (depth > MAX_FILTER_DEPTH) fail('the filter', `is nested deeper than ${MAX_FILTER_DEPTH} levels`);
    if (++this.#nodes > MAX_FILTER_NODES) fail('the filter', `has more than ${MAX_FILTER_NODES} parts`);
    if (typeof input !== 'object' || input === null) fail(path, 'is not a node of a filter tree');
    const { kind } = input as { kind?: unknown };
    const open = input as Record<string, unknown>;
    const child = (name: string) => this.node(open[name], depth + 1, `${path}.${name}`);
    switch (kind) {
      case 'literal':
        return { kind, value: this.#value(open.value, `${path}.value`) };
      case 'attribute':
      case 'exists':
        return { kind, name: checkAttribute(open.name) };
      case 'not':
      case 'negate':
      case 'passes':
        return { kind, of: child('of') };
      case 'and':
      case 'or':
        return this.#logic(kind, open.of, depth, `${path}.of`);
      case 'xor':
        return { kind, left: child('left'), right: child('right') };
      case 'compare': {
        const { operator } = open;
        if (!COMPARISONS.has(operator)) fail(`${path}.operator`, 'is not a comparison operator: = != < <= > >=');
        return { kind, operator: operator as CompareOperator, left: child('left'), right: child('right') };
      }
      case 'arithmetic': {
        const { operator } = open;
        if (!SUMS.has(operator)) fail(`${path}.operator`, 'is not an arithmetic operator: + - * / %');
        return { kind, operator: operator as ArithmeticOperator, left: child('left'), right: child('right') };
      }
      case 'like': {
        const of = child('of');
        return { kind, of, pattern: this.#text(open.pattern, `${path}.pattern`) };
      }
      case 'in': {
        const of = child('of');
        const values = this.#list(open.values, depth, `${path}.values`);
        if (values.length === 0) fail(`${path}.values`, 'needs at least one');
        return { kind, of, values };
      }
      case 'call': {
        const name = this.#text(open.name, `${path}.name`);
        if (!isFunctionName(name)) fail(quote(name), 'is not a function name: use letters and "_"');
        return { kind, name: name.toUpperCase(), args: this.#list(open.args, depth, `${path}.args`) };
      }
      default:
        return fail(`${path}.kind`, 'is not a kind of node');
    }
  }

  #logic(kind: 'and' | 'or', input: unknown, depth: number, path: string): FilterTree {
    const of: FilterTree[] = [];
    for (const operand of this.#list(input, depth, path)) {
      if (operand.kind === kind) for (const inner of operand.of) of.push(inner);
      else of.push(operand);
    }
    if (of.length < 2) fail(path, 'needs at least two');
    return { kind, of };
  }

  #list(input: unknown, depth: number, path: string): FilterTree[] {
    if (!Array.isArray(input)) fail(path, 'must be a list');
    const { length } = input as unknown[];
    if (length > MAX_FILTER_NODES) fail('the filter', `has more than ${MAX_FILTER_NODES} parts`);
    const items: FilterTree[] = [];
    for (let at = 0; at < length; at++) items.push(this.node(input[at], depth + 1, `${path}[${at}]`));
    return items;
  }

  #value(value: unknown, path: string): FilterValue {
    if (typeof value === 'string') return this.#text(value, path);
    if (typeof value === 'boolean') return value;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < MIN_INTEGER || value > MAX_INTEGER) {
      fail(path, 'must be a string, a boolean, or an integer between -2147483648 and 2147483647');
    }
    // Without -0.
    return value | 0;
  }

  /** All texts together are bounded as a filter's text is: the tree could be one. */
  #text(value: unknown, path: string): string {
    if (typeof value !== 'string') fail(path, 'must be a string');
    this.#characters += value.length;
    if (this.#characters > MAX_FILTER_LENGTH) fail('the filter', `has more than ${MAX_FILTER_LENGTH} characters`);
    return value;
  }
}

function fail(what: string, fault: string): never {
  throw new PolycastError('invalid-filter', `${what} ${fault}`);
}
