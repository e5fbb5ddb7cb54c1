import type { FilterTree } from './tree.ts';

/** What a node is made of, from the left. */
export function operandsOf(tree: FilterTree): readonly FilterTree[] {
  switch (tree.kind) {
    case 'literal':
    case 'attribute':
    case 'exists':
      return [];
    case 'not':
    case 'negate':
    case 'passes':
    case 'like':
      return [tree.of];
    case 'and':
    case 'or':
      return tree.of;
    case 'xor':
    case 'compare':
    case 'arithmetic':
      return [tree.left, tree.right];
    case 'in':
      return [tree.of, ...tree.values];
    case 'call':
      return tree.args;
  }
}
