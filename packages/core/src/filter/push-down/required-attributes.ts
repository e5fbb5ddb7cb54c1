import { type FilterTree, REQUIRED_ATTRIBUTES } from '../tree.ts';

/**
 * Attributes that an expression reads whatever the event, without those that every event has. Where one is missing the
 * expression fails, so a broker that cannot evaluate it can still ask for them.
 */
export function requiredAttributes(tree: FilterTree): readonly string[] {
  const names = new Set<string>();
  collect(tree, names);
  return [...names].filter((name) => !REQUIRED_ATTRIBUTES.has(name));
}

function collect(tree: FilterTree, names: Set<string>): void {
  switch (tree.kind) {
    case 'literal':
    case 'exists':
    // It answers false where what is inside fails.
    case 'passes':
      return;
    case 'attribute':
      names.add(tree.name);
      return;
    case 'not':
    case 'negate':
    case 'like':
      return collect(tree.of, names);
    case 'and':
    case 'or':
      // What comes after the first operand may not be evaluated.
      return collect(tree.of[0]!, names);
    case 'xor':
    case 'compare':
    case 'arithmetic':
      collect(tree.left, names);
      return collect(tree.right, names);
    case 'in':
      // Elements after the first equal one may not be evaluated.
      return collect(tree.of, names);
    case 'call':
      for (const arg of tree.args) collect(arg, names);
  }
}
