import type { FilterTree } from './tree.ts';

/** Are the two the same, node by node? */
export function sameTree(one: FilterTree, other: FilterTree): boolean {
  if (one === other) return true;
  switch (one.kind) {
    case 'literal':
      return other.kind === 'literal' && one.value === other.value;
    case 'attribute':
    case 'exists':
      return other.kind === one.kind && one.name === other.name;
    case 'not':
    case 'negate':
    case 'passes':
      return other.kind === one.kind && sameTree(one.of, other.of);
    case 'and':
    case 'or':
      return other.kind === one.kind && sameTrees(one.of, other.of);
    case 'xor':
      return other.kind === 'xor' && sameTree(one.left, other.left) && sameTree(one.right, other.right);
    case 'compare':
    case 'arithmetic':
      return (
        other.kind === one.kind &&
        one.operator === other.operator &&
        sameTree(one.left, other.left) &&
        sameTree(one.right, other.right)
      );
    case 'like':
      return other.kind === 'like' && one.pattern === other.pattern && sameTree(one.of, other.of);
    case 'in':
      return other.kind === 'in' && sameTree(one.of, other.of) && sameTrees(one.values, other.values);
    case 'call':
      return other.kind === 'call' && one.name === other.name && sameTrees(one.args, other.args);
  }
}

export function sameTrees(some: readonly FilterTree[], others: readonly FilterTree[]): boolean {
  return some.length === others.length && some.every((one, at) => sameTree(one, others[at]!));
}
