import { toBoolean } from './cast.ts';
import { canFailAs, resultType } from './certainty.ts';
import { sameTree } from './same-tree.ts';
import { literal, negated, simplifyIn } from './simplify.ts';
import type { FilterTree } from './tree.ts';
import { TreeSet } from './tree-set.ts';

/**
 * AND or OR of simplified operands. They are evaluated from the left, up to the first that decides or fails; so what an
 * operand before has said holds for those after it, and only what cannot fail may go away before a constant.
 */
export function simplifyLogic(kind: 'and' | 'or', operands: readonly FilterTree[]): FilterTree {
  const decisive = kind === 'or';
  const of: FilterTree[] = [];
  const seen = new TreeSet();
  for (const operand of operands.flatMap((one) => (one.kind === kind ? one.of : [one]))) {
    const value = constantOf(operand, decisive, seen);
    if (value === !decisive) continue;
    if (value === decisive) {
      while (of.length > 0 && !canFailAs('boolean', of.at(-1)!)) of.pop();
      of.push(literal(decisive));
      break;
    }
    if (seen.has(operand)) continue;
    seen.add(operand);
    const merged = of.length > 0 ? mergeLists(kind, of.at(-1)!, operand) : undefined;
    if (merged === undefined) of.push(operand);
    else of[of.length - 1] = merged;
    // It always fails: nothing after it is ever looked at.
    if (operand.kind === 'literal') break;
  }
  const [only] = of;
  if (only === undefined) return literal(!decisive);
  if (of.length > 1) return { kind, of };
  // A single operand of another type would no longer be cast to a boolean.
  return resultType(only) === 'boolean' ? only : { kind, of: [only, literal(!decisive)] };
}

/** The constant that an operand is at its place: the opposite of one before it, which did not decide, decides. */
function constantOf(operand: FilterTree, decisive: boolean, seen: TreeSet): boolean | undefined {
  if (operand.kind === 'literal') return toBoolean(operand.value);
  return seen.hasOpposite(operand) ? decisive : undefined;
}

/** `x IN (a) OR x IN (b)` is one list, and so is `x NOT IN (a) AND x NOT IN (b)`. They must be neighbours. */
function mergeLists(kind: 'and' | 'or', left: FilterTree, right: FilterTree): FilterTree | undefined {
  const one = listOf(kind, left);
  const other = one && listOf(kind, right);
  if (other === undefined || !sameTree(one!.of, other.of)) return undefined;
  const merged = simplifyIn(one!.of, [...one!.values, ...other.values]);
  return kind === 'or' ? merged : negated(merged);
}

interface List {
  readonly of: FilterTree;
  readonly values: readonly FilterTree[];
}

/** An operand as a list: IN, or a comparison that is the same as an IN. For AND, its opposite. */
function listOf(kind: 'and' | 'or', tree: FilterTree): List | undefined {
  if (kind === 'and' && tree.kind === 'not') return tree.of.kind === 'in' ? tree.of : undefined;
  if (kind === 'or' && tree.kind === 'in') return tree;
  if (tree.kind !== 'compare' || tree.operator !== (kind === 'or' ? '=' : '!=')) return undefined;
  const { left, right } = tree;
  const type = resultType(left);
  return type !== undefined && right.kind === 'literal' && resultType(right) === type
    ? { of: left, values: [right] }
    : undefined;
}
