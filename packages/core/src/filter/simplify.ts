import { BUILT_IN_FUNCTIONS } from './built-in-functions.ts';
import { toBoolean } from './cast.ts';
import { evaluateTree } from './evaluate.ts';
import { likeTokens } from './like.ts';
import { operandsOf } from './operands.ts';
import { sameTree } from './same-tree.ts';
import { simplifyLogic } from './simplify-logic.ts';
import { canFail, canFailAs, resultType } from './static-type.ts';
import {
  type ArithmeticNode,
  type ArithmeticOperator,
  type CompareOperator,
  type FilterTree,
  type FilterValue,
  REQUIRED_ATTRIBUTES,
} from './tree.ts';
import { OPPOSITE, TreeSet } from './tree-set.ts';

/**
 * A smaller tree that evaluates alike: for every event, and whatever functions users register, it gives the same value, and
 * an error where the tree gives one. So nothing is left out that could fail, and no error is computed away.
 */
export function simplify(tree: FilterTree): FilterTree {
  switch (tree.kind) {
    case 'literal':
    case 'attribute':
      return tree;
    case 'exists':
      return REQUIRED_ATTRIBUTES.has(tree.name) ? literal(true) : tree;
    case 'not':
      return simplifyNot(tree.of);
    case 'negate':
      return folded({ kind: 'negate', of: simplify(tree.of) });
    case 'and':
    case 'or':
      return simplifyLogic(tree.kind, tree.of.map(simplify));
    case 'xor':
      return simplifyXor(tree.left, tree.right);
    case 'compare':
      return simplifyCompare(tree.operator, simplify(tree.left), simplify(tree.right));
    case 'arithmetic':
      return simplifyArithmetic({ ...tree, left: simplify(tree.left), right: simplify(tree.right) });
    case 'like':
      return simplifyLike(simplify(tree.of), tree.pattern);
    case 'in':
      return simplifyIn(simplify(tree.of), tree.values.map(simplify));
    case 'call':
      return folded({ ...tree, args: tree.args.map(simplify) });
    case 'passes':
      return simplifyPasses(simplify(tree.of));
  }
}

export function literal(value: FilterValue): FilterTree {
  return { kind: 'literal', value };
}

/**
 * `NOT of`. The negation goes down with the walk, so that each node is made once: De Morgan is exact here, as AND and OR
 * stop at the same operand, because it decides or because it fails.
 */
function simplifyNot(of: FilterTree): FilterTree {
  switch (of.kind) {
    case 'and':
    case 'or':
      return simplifyLogic(of.kind === 'and' ? 'or' : 'and', of.of.map(simplifyNot));
    case 'not':
      // Of anything but a boolean, two NOTs are a cast.
      return resultType(of.of) === 'boolean' ? simplify(of.of) : negated(simplifyNot(of.of));
    default:
      return negated(simplify(of));
  }
}

/** `NOT of`, for an operand that is simple already. A comparison that fails is false, and so is its opposite. */
export function negated(of: FilterTree): FilterTree {
  switch (of.kind) {
    case 'literal': {
      const value = toBoolean(of.value);
      return value === undefined ? { kind: 'not', of } : literal(!value);
    }
    case 'not':
      return resultType(of.of) === 'boolean' ? of.of : { kind: 'not', of };
    case 'compare':
      return { ...of, operator: OPPOSITE[of.operator] };
    default:
      return { kind: 'not', of };
  }
}

/** An operator or a built-in function on literals, computed, unless it fails. */
function folded(tree: FilterTree): FilterTree {
  if (!operandsOf(tree).every(({ kind }) => kind === 'literal')) return tree;
  if (tree.kind === 'call' && !BUILT_IN_FUNCTIONS.has(tree.name)) return tree;
  const { value, error } = evaluateTree(tree, {});
  return error === undefined ? literal(value) : tree;
}

function simplifyXor(leftTree: FilterTree, rightTree: FilterTree): FilterTree {
  const left = simplify(leftTree);
  const first = left.kind === 'literal' ? toBoolean(left.value) : undefined;
  if (first === true) return simplifyNot(rightTree);
  const right = simplify(rightTree);
  const second = right.kind === 'literal' ? toBoolean(right.value) : undefined;
  if (second === true) return negated(left);
  if (first === false && resultType(right) === 'boolean') return right;
  if (second === false && resultType(left) === 'boolean') return left;
  if (sameTree(left, right) && !canFailAs('boolean', left)) return literal(false);
  return folded({ kind: 'xor', left, right });
}

function simplifyCompare(operator: CompareOperator, left: FilterTree, right: FilterTree): FilterTree {
  const tree = folded({ kind: 'compare', operator, left, right });
  if (tree.kind !== 'compare' || (operator !== '=' && operator !== '!=')) return tree;
  // `x = TRUE`, where x is a boolean anyway.
  const [constant, other] = left.kind === 'literal' ? [left, right] : [right, left];
  if (constant.kind !== 'literal' || typeof constant.value !== 'boolean' || resultType(other) !== 'boolean')
    return tree;
  return constant.value === (operator === '=') ? other : negated(other);
}

/** By operator, what on its right side changes nothing; where the sides can change places, on its left too. */
const NEUTRAL: Readonly<Record<ArithmeticOperator, number | undefined>> = {
  '+': 0,
  '-': 0,
  '*': 1,
  '/': 1,
  '%': undefined,
};

function simplifyArithmetic(node: ArithmeticNode): FilterTree {
  const tree = folded(node);
  if (tree.kind !== 'arithmetic') return tree;
  const { operator, left, right } = tree;
  const neutral = NEUTRAL[operator];
  // A call may give another value than 0 with its error, and an attribute may be a text.
  const isSum = ({ kind }: FilterTree) => kind === 'arithmetic' || kind === 'negate';
  if (isSum(left) && right.kind === 'literal' && right.value === neutral) return left;
  const commutes = operator === '+' || operator === '*';
  return commutes && isSum(right) && left.kind === 'literal' && left.value === neutral ? right : tree;
}

function simplifyLike(of: FilterTree, pattern: string): FilterTree {
  const tokens = likeTokens(pattern);
  const [first] = tokens;
  if (first === undefined) return simplifyCompare('=', of, literal(''));
  if (tokens.length === 1 && typeof first === 'object') return simplifyCompare('=', of, literal(first.text));
  if (tokens.length === 1 && first === '%' && !canFail(of)) return literal(true);
  return folded({ kind: 'like', of, pattern });
}

/** Whatever is there twice is not looked at the second time. */
export function simplifyIn(of: FilterTree, all: readonly FilterTree[]): FilterTree {
  const values = withoutTwins(all);
  const [only] = values;
  // IN casts to the type of the left side and = to that of the right: with one type they are the same.
  if (values.length === 1 && resultType(of) !== undefined && resultType(of) === resultType(only!)) {
    return simplifyCompare('=', of, only!);
  }
  return folded({ kind: 'in', of, values });
}

function withoutTwins(values: readonly FilterTree[]): readonly FilterTree[] {
  if (values.length === 1) return values;
  const literals = new Set<FilterValue>();
  const others = new TreeSet();
  return values.filter((value) => {
    if (value.kind === 'literal') return literals.size < literals.add(value.value).size;
    if (others.has(value)) return false;
    others.add(value);
    return true;
  });
}

function simplifyPasses(of: FilterTree): FilterTree {
  if (of.kind === 'literal') return literal(of.value === true);
  return resultType(of) === 'boolean' && !canFail(of) ? of : { kind: 'passes', of };
}
