import { SYSTEM_PROPERTIES, systemName } from './system-property.ts';
import type { Expression, Predicate } from './tree.ts';

/** May its evaluation raise an error, for some message? */
export function mayFail(node: Predicate | Expression): boolean {
  switch (node.kind) {
    case 'constant':
    case 'newid':
      return false;
    case 'property':
      return node.scope === 'sys' && !SYSTEM_PROPERTIES.has(systemName(node.name));
    case 'named':
      return true;
    case 'arithmetic':
      return mayFail(node.left) || mayFail(node.right) || mayFailItself(node);
    case 'sign':
    case 'not':
      return mayFail(node.of);
    case 'and':
    case 'or':
      return node.of.some(mayFail);
    case 'compare':
      return mayFail(node.left) || mayFail(node.right);
    case 'null':
    case 'exists':
      return mayFail(node.property);
    case 'in':
      return mayFail(node.of) || node.values.some(mayFail);
    case 'like':
      return (
        mayFail(node.of) || node.pattern.kind !== 'constant' || (node.escapedBy ?? node.pattern).kind !== 'constant'
      );
  }
}

type Arithmetic = Extract<Expression, { kind: 'arithmetic' }>;

function mayFailItself({ operator, left, right }: Arithmetic): boolean {
  switch (operator) {
    case '*':
      return false;
    // Texts may grow too long and dates leave their range.
    case '+':
    case '-':
      return !isNumber(left) && !isNumber(right);
    default:
      return !(right.kind === 'constant' && isNumber(right) && right.value !== 0n && right.value !== -1n);
  }
}

/** Is it a number, if it is anything? */
function isNumber(expression: Expression): boolean {
  switch (expression.kind) {
    case 'constant':
      return typeof expression.value === 'bigint' || typeof expression.value === 'number';
    case 'arithmetic':
      return expression.operator === '*' || isNumber(expression.left) || isNumber(expression.right);
    default:
      return false;
  }
}
