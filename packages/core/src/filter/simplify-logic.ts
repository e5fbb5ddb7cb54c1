import { toBoolean } from './cast.ts';
import { sameTree } from './same-tree.ts';
import { literal, negated, simplifyIn } from './simplify.ts';
import { canFailAs, resultType } from './static-type.ts';
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
    of.push(operand);
    // It always fails: nothing after it is ever looked at.
    if (operand.kind === 'literal') break;
  }
  const merged = mergeLists(kind, of);
  const [only] = merged;
  if (only === undefined) return literal(!decisive);
  if (merged.length > 1) return { kind, of: merged };
  // A single operand of another type would no longer be cast to a boolean.
  return resultType(only) === 'boolean' ? only : { kind, of: [only, literal(!decisive)] };
}

/** The constant that an operand is at its place: the opposite of one before it, which did not decide, decides. */
function constantOf(operand: FilterTree, decisive: boolean, seen: TreeSet): boolean | undefined {
  if (operand.kind === 'literal') return toBoolean(operand.value);
  return seen.hasOpposite(operand) ? decisive : undefined;
}

/** `x IN (a) OR x IN (b)` is one list, and so is `x NOT IN (a) AND x NOT IN (b)`. They must be neighbours. */
function mergeLists(kind: 'and' | 'or', operands: readonly FilterTree[]): readonly FilterTree[] {
  const merged: FilterTree[] = [];
  for (let at = 0; at < operands.length; ) {
    const first = listOf(kind, operands[at]!);
    const values = first === undefined ? [] : [...first.values];
    let next = at + 1;
    for (; first !== undefined && next < operands.length; next++) {
      const list = listOf(kind, operands[next]!);
      if (list === undefined || !sameTree(first.of, list.of)) break;
      for (const value of list.values) values.push(value);
    }
    if (first === undefined || next === at + 1) merged.push(operands[at]!);
    else {
      const list = simplifyIn(first.of, values);
      merged.push(kind === 'or' ? list : negated(list));
    }
    at = next;
  }
  return merged;
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
