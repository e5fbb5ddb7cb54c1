import { operandsOf } from './operands.ts';
import { sameTree } from './same-tree.ts';
import type { CompareOperator, FilterTree } from './tree.ts';

/** From so many trees on, they are found by their text; among a few, comparing them is quicker than writing them. */
const FEW = 12;
/** Larger ones are not remembered: nobody writes them twice, and looking into them at each level would take long. */
const LARGEST = 50;

/** Trees that can be asked for the same tree and for its opposite. */
export class TreeSet {
  readonly #trees: FilterTree[] = [];
  #keys: Set<string> | undefined;

  add(tree: FilterTree): void {
    if (sizeOf(tree, 0) > LARGEST) return;
    this.#trees.push(tree);
    if (this.#keys !== undefined) this.#keys.add(JSON.stringify(tree));
    else if (this.#trees.length > FEW) this.#keys = new Set(this.#trees.map((one) => JSON.stringify(one)));
  }

  has(tree: FilterTree): boolean {
    if (this.#keys === undefined) return this.#trees.some((one) => sameTree(one, tree));
    return sizeOf(tree, 0) <= LARGEST && this.#keys.has(JSON.stringify(tree));
  }

  /** Is there what `NOT tree` is, or that of which the tree is the NOT? */
  hasOpposite(tree: FilterTree): boolean {
    if (tree.kind === 'compare') return this.has({ ...tree, operator: OPPOSITE[tree.operator] });
    return this.has(tree.kind === 'not' ? tree.of : { kind: 'not', of: tree });
  }
}

/** What a comparison is where it is not. */
export const OPPOSITE: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** About how many nodes, a long text counting as several; more than LARGEST for all that are larger. */
function sizeOf(tree: FilterTree, before: number): number {
  let size = before + 1;
  if (tree.kind === 'literal' && typeof tree.value === 'string') size += tree.value.length >> 6;
  if (tree.kind === 'like') size += tree.pattern.length >> 6;
  for (const operand of operandsOf(tree)) {
    if (size > LARGEST) break;
    size = sizeOf(operand, size);
  }
  return size;
}
