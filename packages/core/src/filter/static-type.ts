import { toBoolean, toInteger } from './cast.ts';
import { resolveFunction } from './functions.ts';
import type { FilterTree, FilterType } from './tree.ts';

export type ResultType = 'text' | 'integer' | 'boolean';

/** The type that an expression gives whatever the event, also where it fails; undefined where the event decides. */
export function resultType(tree: FilterTree): ResultType | undefined {
  switch (tree.kind) {
    case 'literal':
      return typeof tree.value === 'string' ? 'text' : typeof tree.value === 'number' ? 'integer' : 'boolean';
    case 'attribute':
      return undefined;
    case 'negate':
    case 'arithmetic':
      return 'integer';
    case 'call': {
      // What users register is not known here.
      const gives = resolveFunction(tree.name, tree.args.length, undefined)?.gives;
      return gives === 'any' ? undefined : gives;
    }
    default:
      return 'boolean';
  }
}

/** Could the expression give an error for some event? False is certain, true is a maybe. */
export function canFail(tree: FilterTree): boolean {
  switch (tree.kind) {
    case 'literal':
    case 'exists':
    case 'passes':
      return false;
    case 'attribute':
    case 'negate':
    case 'arithmetic':
      return true;
    case 'not':
      return canFailAs('boolean', tree.of);
    case 'and':
    case 'or':
      return tree.of.some((operand) => canFailAs('boolean', operand));
    case 'xor':
      return canFailAs('boolean', tree.left) || canFailAs('boolean', tree.right);
    case 'compare': {
      const { operator, left, right } = tree;
      if (operator !== '=' && operator !== '!=') return canFailAs('integer', left) || canFailAs('integer', right);
      return canFail(right) || canFailAs(resultType(right), left);
    }
    case 'like':
      return canFail(tree.of);
    case 'in': {
      const type = resultType(tree.of);
      return canFail(tree.of) || tree.values.some((value) => canFailAs(type, value));
    }
    case 'call': {
      const found = CERTAIN_FUNCTIONS.has(tree.name) && resolveFunction(tree.name, tree.args.length, undefined);
      if (!found) return true;
      return tree.args.some((argument, at) => canFailAs(found.takes[at], argument));
    }
  }
}

/** Functions that fail only if an argument does. */
const CERTAIN_FUNCTIONS: ReadonlySet<string> = new Set(['LENGTH', 'LOWER', 'UPPER', 'TRIM', 'INT', 'BOOL', 'STRING']);

/** Could it fail, or its value not be cast to the type? No type: any one. */
export function canFailAs(type: FilterType | undefined, tree: FilterTree): boolean {
  if (canFail(tree)) return true;
  const from = resultType(tree);
  // Integers and booleans can be cast to everything, and everything to a text.
  if (type === 'text' || type === 'any' || from === 'integer' || from === 'boolean') return false;
  if (tree.kind !== 'literal' || type === undefined) return true;
  return (type === 'integer' ? toInteger(tree.value) : toBoolean(tree.value)) === undefined;
}
