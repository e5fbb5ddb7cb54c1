import { PolycastError } from '../contract/error.ts';
import { operandsOf } from './operands.ts';
import { type FilterTree, type FilterValue, MAX_FILTER_DEPTH } from './tree.ts';

/**
 * A tree without `passes` as CESQL text, with the brackets it needs and those that a reader does: AND, OR and XOR bind
 * equally, and NOT more tightly than a comparison, which few expect.
 */
export function printText(tree: FilterTree): string {
  return text(tree, 0);
}

/** Simplified trees may be a little deeper than parsed ones; a cycle is endless. */
const DEEPEST = 4 * MAX_FILTER_DEPTH;

function checkDepth(depth: number): void {
  if (depth > DEEPEST) throw new PolycastError('invalid-filter', 'the filter is nested too deeply to be printed');
}

export function hasPasses(tree: FilterTree, depth = 0): boolean {
  checkDepth(depth);
  return tree.kind === 'passes' || operandsOf(tree).some((operand) => hasPasses(operand, depth + 1));
}

function text(tree: FilterTree, depth: number): string {
  checkDepth(depth);
  const below = depth + 1;
  switch (tree.kind) {
    case 'literal':
      return printValue(tree.value);
    case 'attribute':
      return tree.name;
    case 'exists':
      return `EXISTS ${tree.name}`;
    case 'not': {
      const { of } = tree;
      if (of.kind === 'like' || of.kind === 'in') return postfix(of, 'NOT ', below);
      return `NOT ${bracketed(of, isUnary(of) || of.kind === 'exists' || isPlainNot(of), below)}`;
    }
    case 'negate': {
      const { of } = tree;
      // `-5` would be read as the integer.
      const bare = isUnary(of) && !(of.kind === 'literal' && typeof of.value === 'number' && of.value >= 0);
      return `-${bracketed(of, bare, below)}`;
    }
    case 'and':
    case 'or':
      return tree.of.map((operand) => logicOperand(operand, below)).join(tree.kind === 'and' ? ' AND ' : ' OR ');
    case 'xor': {
      const left = tree.left.kind === 'xor' ? text(tree.left, below) : logicOperand(tree.left, below);
      return `${left} XOR ${logicOperand(tree.right, below)}`;
    }
    case 'compare':
      return `${sumOperand(tree.left, 0, below)} ${tree.operator} ${sumOperand(tree.right, 0, below)}`;
    case 'arithmetic': {
      const level = levelOf(tree.operator);
      return `${sumOperand(tree.left, level, below)} ${tree.operator} ${sumOperand(tree.right, level + 1, below)}`;
    }
    case 'like':
    case 'in':
      return postfix(tree, '', below);
    case 'call':
      return `${tree.name}(${tree.args.map((argument) => text(argument, below)).join(', ')})`;
    case 'passes':
      // Callers of printText make sure there is none.
      throw new TypeError('a passes node cannot be written in CESQL');
  }
}

function postfix(tree: FilterTree & { kind: 'like' | 'in' }, not: string, depth: number): string {
  const of = bracketed(tree.of, isUnary(tree.of), depth);
  if (tree.kind === 'like') return `${of} ${not}LIKE ${quoted(tree.pattern)}`;
  return `${of} ${not}IN (${tree.values.map((value) => text(value, depth)).join(', ')})`;
}

function bracketed(tree: FilterTree, bare: boolean, depth: number): string {
  return bare ? text(tree, depth) : `(${text(tree, depth)})`;
}

function logicOperand(tree: FilterTree, depth: number): string {
  return bracketed(tree, tree.kind !== 'and' && tree.kind !== 'or' && tree.kind !== 'xor', depth);
}

/** Of a comparison or an arithmetic operator: only numbers, so to speak, go without brackets. */
function sumOperand(tree: FilterTree, level: number, depth: number): string {
  return bracketed(tree, isUnary(tree) || (tree.kind === 'arithmetic' && levelOf(tree.operator) >= level), depth);
}

function levelOf(operator: string): number {
  return operator === '+' || operator === '-' ? 1 : 2;
}

/** One word, a call, or a minus before one. */
function isUnary({ kind }: FilterTree): boolean {
  return kind === 'literal' || kind === 'attribute' || kind === 'call' || kind === 'negate';
}

/** A `not` that is written with the word in front. */
function isPlainNot(tree: FilterTree): boolean {
  return tree.kind === 'not' && tree.of.kind !== 'like' && tree.of.kind !== 'in';
}

/** A value as CESQL writes it. */
export function printValue(value: FilterValue): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'number' ? String(value) : value ? 'TRUE' : 'FALSE';
}

/** Between single quotes, or double ones where that is shorter. */
function quoted(value: string): string {
  if (!/['\\]/.test(value)) return `'${value}'`;
  const single = escaped(value, "'");
  const double = escaped(value, '"');
  return double.length < single.length ? double : single;
}

/** A quote gets a backslash; backslashes right before a quote, or the end, are doubled. */
function escaped(value: string, quote: "'" | '"'): string {
  let inner = '';
  let from = 0;
  let backslashes = 0;
  for (let at = 0; at < value.length; at++) {
    const char = value[at];
    if (char === '\\') backslashes++;
    else {
      if (char === quote) {
        inner += `${value.slice(from, at)}${'\\'.repeat(backslashes)}\\`;
        from = at;
      }
      backslashes = 0;
    }
  }
  return quote + inner + value.slice(from) + '\\'.repeat(backslashes) + quote;
}
