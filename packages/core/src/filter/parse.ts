import { PolycastError } from '../contract/error.ts';
import { checkTree } from './check-tree.ts';
import { type FilterDialect, parseDialect } from './dialects.ts';
import { parseText } from './parse-text.ts';
import { type FilterTree, MAX_FILTER_LENGTH } from './tree.ts';

/**
 * A filter in any of its forms: CESQL 1.0 text, a dialect of the Subscriptions API as an object or as its JSON text, a
 * tree, or what carries one: an expression of the builder, a compiled filter.
 */
export type FilterInput = string | FilterDialect | FilterTree | { readonly tree: FilterTree };

/**
 * Any form of a filter as a tree, checked; objects are copied.
 * @throws PolycastError `invalid-filter`. For an error in a string the message shows the position, and the cause is a
 * FilterSyntaxError that says it in numbers.
 */
export function parseFilter(input: FilterInput): FilterTree {
  if (typeof input === 'string') return /^[ \t\r\n]*\{/.test(input) ? parseJsonText(input) : parseText(input);
  return parseObject(input);
}

/** Node by node or a dialect: no dialect has a `kind` or a `tree`. */
function parseObject(input: unknown): FilterTree {
  if (typeof input !== 'object' || input === null) {
    throw new PolycastError('invalid-filter', 'a filter must be a CESQL string, a dialect object, or a filter tree');
  }
  const { tree, kind } = membersOf(input);
  if (tree !== undefined) return checkTree(tree);
  return kind !== undefined ? checkTree(input) : parseDialect(input);
}

function membersOf(input: object): { tree?: unknown; kind?: unknown } {
  try {
    const { tree, kind } = input as { tree?: unknown; kind?: unknown };
    return { tree, kind };
  } catch (thrown) {
    throw new PolycastError('invalid-filter', 'the filter cannot be read', { cause: thrown });
  }
}

function parseJsonText(text: string): FilterTree {
  // Escapes make JSON longer than what it says.
  if (text.length > 6 * MAX_FILTER_LENGTH) {
    throw new PolycastError('invalid-filter', `the filter is longer than ${6 * MAX_FILTER_LENGTH} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PolycastError('invalid-filter', `a filter that begins with "{" must be JSON: ${reason}`, {
      cause: thrown,
    });
  }
  return parseObject(value);
}
