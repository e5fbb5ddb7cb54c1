import { PolycastError } from '../contract/error.ts';
import { missingFunction, resolveFunction } from './functions.ts';
import { quote } from './syntax-error.ts';
import type { FilterFunctions, FilterTree, FilterType } from './tree.ts';

/**
 * Is the tree a filter, and not only an expression?
 * @throws PolycastError `invalid-filter` when it calls a function that there is not, or no event can make it true because
 * its value is never a boolean.
 */
export function checkFilter(tree: FilterTree, functions: FilterFunctions | undefined): void {
  checkCalls(tree, functions);
  const type = typeOf(tree, functions);
  if (type === 'boolean' || type === 'any') return;
  const what = tree.kind === 'literal' ? quote(String(tree.value)) : 'its value';
  const article = type === 'integer' ? 'an integer' : 'a string';
  throw new PolycastError('invalid-filter', `a filter must be true or false, but ${what} is ${article}`);
}

/** What every value of the tree is; `any` for an attribute. */
function typeOf(tree: FilterTree, functions: FilterFunctions | undefined): FilterType {
  switch (tree.kind) {
    case 'literal':
      return typeof tree.value === 'string' ? 'text' : typeof tree.value === 'number' ? 'integer' : 'boolean';
    case 'attribute':
      return 'any';
    case 'negate':
    case 'arithmetic':
      return 'integer';
    case 'call':
      return resolveFunction(tree.name, tree.args.length, functions)!.gives;
    default:
      return 'boolean';
  }
}

function checkCalls(tree: FilterTree, functions: FilterFunctions | undefined): void {
  switch (tree.kind) {
    case 'literal':
    case 'attribute':
    case 'exists':
      return;
    case 'not':
    case 'negate':
    case 'passes':
    case 'like':
      checkCalls(tree.of, functions);
      return;
    case 'and':
    case 'or':
      for (const operand of tree.of) checkCalls(operand, functions);
      return;
    case 'xor':
    case 'compare':
    case 'arithmetic':
      checkCalls(tree.left, functions);
      checkCalls(tree.right, functions);
      return;
    case 'in':
      checkCalls(tree.of, functions);
      for (const value of tree.values) checkCalls(value, functions);
      return;
    case 'call':
      if (resolveFunction(tree.name, tree.args.length, functions) === undefined) {
        throw new PolycastError('invalid-filter', missingFunction(tree.name, tree.args.length, functions));
      }
      for (const argument of tree.args) checkCalls(argument, functions);
  }
}
