import {
  atomFormula,
  type CompareOperator,
  type ExpressionTest,
  type FilterTree,
  type PushOptions,
  typesOf,
} from '@polycast/core/filter';
import { columnOf, isContentType, isTimestamp } from './service-bus-columns.ts';
import type { SqlOperand, SqlOperator } from './sql.ts';
import type { SqlPart } from './sql-test.ts';

/**
 * A comparison of two attributes, or of sums of integers, as SQL. Undefined for anything else, and where an attribute may
 * have several types: brokers do not cast. Where CESQL gives no error every number on the way fits 32 bits, so Service Bus,
 * with its 64, comes to the same.
 */
export function sqlOfExpression({ of, result }: ExpressionTest, options: PushOptions): SqlPart | undefined {
  if (of.kind === 'not') return sqlOfExpression({ kind: 'expression', of: of.of, result: !result }, options);
  if (of.kind !== 'compare' || (of.left.kind === 'literal' && of.right.kind === 'literal')) return undefined;
  const operator = OPERATORS[of.operator][result ? 0 : 1];
  const integers = operands(of.left, of.right, (tree) => integerOperand(tree, options));
  if (integers !== undefined) {
    const sums = hasSum(of.left) || hasSum(of.right);
    return {
      formula: atomFormula({ kind: 'compare', operator, ...integers }),
      reason: sums ? 'numbers overflow at 32 bits in CESQL and at 64 in Service Bus' : undefined,
    };
  }
  const texts =
    operator === '=' || operator === '<>'
      ? operands(of.left, of.right, (tree) => textOperand(tree, options))
      : undefined;
  return texts === undefined ? undefined : { formula: atomFormula({ kind: 'compare', operator, ...texts }) };
}

const OPERATORS: Readonly<Record<CompareOperator, readonly [SqlOperator, SqlOperator]>> = {
  '=': ['=', '<>'],
  '!=': ['<>', '='],
  '<': ['<', '>='],
  '<=': ['<=', '>'],
  '>': ['>', '<='],
  '>=': ['>=', '<'],
};

function operands(left: FilterTree, right: FilterTree, make: (tree: FilterTree) => SqlOperand | undefined) {
  const made = { left: make(left), right: make(right) };
  return made.left === undefined || made.right === undefined ? undefined : { left: made.left, right: made.right };
}

function integerOperand(tree: FilterTree, options: PushOptions): SqlOperand | undefined {
  switch (tree.kind) {
    case 'literal':
      return typeof tree.value === 'number' ? { kind: 'constant', value: tree.value } : undefined;
    case 'attribute':
      return column(tree.name, 'integer', options);
    case 'negate': {
      const right = integerOperand(tree.of, options);
      return right === undefined
        ? undefined
        : { kind: 'sum', operator: '-', left: { kind: 'constant', value: 0 }, right };
    }
    case 'arithmetic': {
      // A division by zero is an error there, which may put the message aside.
      const { operator } = tree;
      if (operator === '/' || operator === '%') return undefined;
      const both = operands(tree.left, tree.right, (operand) => integerOperand(operand, options));
      return both === undefined ? undefined : { kind: 'sum', operator, ...both };
    }
    default:
      return undefined;
  }
}

function textOperand(tree: FilterTree, options: PushOptions): SqlOperand | undefined {
  return tree.kind === 'attribute' ? column(tree.name, 'text', options) : undefined;
}

function column(attribute: string, type: 'text' | 'integer', options: PushOptions): SqlOperand | undefined {
  const [only, ...others] = typesOf(attribute, options);
  if (only !== type || others.length > 0 || isTimestamp(attribute) || isContentType(attribute)) return undefined;
  return { kind: 'column', name: columnOf(attribute) };
}

function hasSum(tree: FilterTree): boolean {
  return tree.kind === 'arithmetic' || tree.kind === 'negate';
}
