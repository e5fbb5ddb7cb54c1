import { dialectOf } from './print-dialect.ts';
import { hasPasses, printText } from './print-text.ts';
import type { FilterTree } from './tree.ts';

/**
 * A tree as CESQL text, which `parseFilter` reads back as the same tree.
 *
 * A tree with a `passes` node, for which CESQL has no words, is written as JSON: as a dialect of the Subscriptions API, or
 * node by node where no dialect is the same tree.
 * @throws PolycastError `invalid-filter` for a tree that is nested far deeper than filters may be.
 */
export function printFilter(tree: FilterTree): string {
  return hasPasses(tree) ? JSON.stringify(dialectOf(tree) ?? tree) : printText(tree);
}
