import type { Condition } from './condition.ts';
import { conditionOf } from './condition-of.ts';
import { treeOf } from './condition-tree.ts';
import { printFilter } from './print.ts';
import { describe } from './push-down/reasons.ts';
import { resultType } from './static-type.ts';
import type { FilterTree } from './tree.ts';

/** How the user wrote the parts of a condition, so that they can be shown as they were written. */
export interface OriginalText {
  /** A condition as JSON, and the operand of the outermost AND that it was made from. */
  readonly trees: ReadonlyMap<string, FilterTree>;
  /** The same from what reasons quote to text. */
  readonly partOf: ReadonlyMap<string, string>;
}

/** Most operands looked at; nobody reads more. */
const MAX_OPERANDS = 100;

/** @param tree what `condition` was made from, if that is known */
export function originalText(tree: FilterTree | undefined, condition: Condition): OriginalText {
  const trees = new Map<string, FilterTree>();
  const partOf = new Map<string, string>();
  if (tree === undefined) return { trees, partOf };
  const learn = (part: FilterTree, made: Condition) => {
    trees.set(JSON.stringify(made), part);
    partOf.set(describe(made), printFilter(part));
  };
  if (tree.kind === 'and' && tree.of.length <= MAX_OPERANDS) {
    // What is no boolean alone becomes one as an operand: it says something else there.
    for (const part of tree.of) if (resultType(part) === 'boolean') learn(part, conditionOf(part));
  }
  learn(tree, condition);
  return { trees, partOf };
}

/** A part of the condition, or what is left of it, as the user wrote it where that is known. */
export function inOriginalText(condition: Condition, { trees }: OriginalText): FilterTree {
  const whole = trees.get(JSON.stringify(condition));
  if (whole !== undefined) return whole;
  if (condition.kind !== 'all') return treeOf(condition);
  const parts = condition.of.map((part) => ({ part, tree: trees.get(JSON.stringify(part)) }));
  if (parts.every(({ tree }) => tree === undefined)) return treeOf(condition);
  const of = parts.map(({ part, tree }) => tree ?? treeOf(part));
  return { kind: 'and', of: of.flatMap((part) => (part.kind === 'and' ? part.of : [part])) };
}
