import { PolycastError } from '../contract/error.ts';
import { checkTree } from './check-tree.ts';
import { endsInBackslash, escapeLike } from './like.ts';
import { attributeFault } from './names.ts';
import { parseText } from './parse-text.ts';
import { FilterSyntaxError, quote } from './syntax-error.ts';
import {
  type FilterTree,
  MAX_FILTER_DEPTH,
  MAX_FILTER_NODES,
  MAX_INTEGER,
  MIN_INTEGER,
  REQUIRED_ATTRIBUTES,
} from './tree.ts';

/**
 * A filter as JSON, in the dialects of the CloudEvents Subscriptions API; each object has exactly one key. A missing
 * attribute makes `exact`, `prefix` and `suffix` false, and so `not` true.
 *
 * @see https://github.com/cloudevents/spec/blob/main/subscriptions/spec.md, section 3.2.4.1
 */
export type FilterDialect =
  /** Every attribute is present and, as a string, equal to its value: `7` matches the integer 7 and the string `'7'`. */
  | { readonly exact: Readonly<Record<string, string | number | boolean>> }
  /** Every attribute is there and begins with its value. */
  | { readonly prefix: Readonly<Record<string, string>> }
  /** Every attribute is there and ends with its value. */
  | { readonly suffix: Readonly<Record<string, string>> }
  | { readonly all: readonly FilterDialect[] }
  | { readonly any: readonly FilterDialect[] }
  | { readonly not: FilterDialect }
  /** CESQL; false where it gives an error or anything but the boolean true. */
  | { readonly sql: string };

/** @throws PolycastError `invalid-filter`, naming the place: `any[1].exact.type` */
export function parseDialect(input: unknown): FilterTree {
  let tree: FilterTree;
  try {
    tree = dialect(input, '', true, 1);
  } catch (thrown) {
    if (thrown instanceof PolycastError) throw thrown;
    throw new PolycastError('invalid-filter', 'the filter cannot be read', { cause: thrown });
  }
  // Dialects and the CESQL in them may together be too much; and `all` in `all` becomes one node.
  return checkTree(tree);
}

const NAMES = 'exact, prefix, suffix, all, any, not, sql';

/** `conjunct`: only `all`s around it, so that an error anywhere keeps the event out, as it should. */
function dialect(input: unknown, path: string, conjunct: boolean, depth: number): FilterTree {
  if (depth > MAX_FILTER_DEPTH) fail('', `the filter is nested deeper than ${MAX_FILTER_DEPTH} levels`);
  const [name, ...others] = Object.keys(objectOf(input, path));
  if (name === undefined || others.length > 0) fail(path, `a filter must have exactly one of: ${NAMES}`);
  const value = (input as Record<string, unknown>)[name];
  const here = path === '' ? name : `${path}.${name}`;
  switch (name) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return attributes(name, value, here);
    case 'all':
      return group('and', value, here, conjunct, depth);
    case 'any':
      return group('or', value, here, false, depth);
    case 'not':
      return { kind: 'not', of: dialect(value, here, false, depth + 1) };
    case 'sql':
      return sql(value, here, conjunct);
    default:
      return fail(path, `unknown dialect ${quote(name)}; available: ${NAMES}`);
  }
}

function objectOf(input: unknown, path: string): object {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  return fail(path, `expected an object with one of: ${NAMES}`);
}

function group(kind: 'and' | 'or', input: unknown, path: string, conjunct: boolean, depth: number): FilterTree {
  if (!Array.isArray(input) || input.length === 0) fail(path, 'expected a list of at least one filter');
  const { length } = input as unknown[];
  if (length > MAX_FILTER_NODES) fail(path, `the filter has more than ${MAX_FILTER_NODES} parts`);
  const of: FilterTree[] = [];
  for (let at = 0; at < length; at++) of.push(dialect(input[at], `${path}[${at}]`, conjunct, depth + 1));
  return of.length === 1 ? of[0]! : { kind, of };
}

function sql(input: unknown, path: string, conjunct: boolean): FilterTree {
  if (typeof input !== 'string') fail(path, 'expected a CESQL string');
  let of: FilterTree;
  try {
    of = parseText(input);
  } catch (thrown) {
    const { cause } = thrown as PolycastError;
    if (!(cause instanceof FilterSyntaxError)) throw thrown;
    throw new PolycastError('invalid-filter', `${path}: ${cause.message}`, { cause });
  }
  return conjunct ? of : { kind: 'passes', of };
}

function attributes(name: 'exact' | 'prefix' | 'suffix', input: unknown, path: string): FilterTree {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    fail(path, 'expected an object that maps attributes to values');
  }
  const of: FilterTree[] = [];
  for (const key of Object.keys(input as object)) {
    const fault = attributeFault(key);
    if (fault !== undefined) fail(path, `${quote(key)} ${fault}`);
    const value = textOf((input as Record<string, unknown>)[key], name, `${path}.${key}`);
    if (!REQUIRED_ATTRIBUTES.has(key)) of.push({ kind: 'exists', name: key });
    of.push(testOf(name, key, value));
  }
  if (of.length === 0) fail(path, 'expected at least one attribute');
  return of.length === 1 ? of[0]! : { kind: 'and', of };
}

/** As a text: with a text on its right, `=` compares texts, which cannot fail as a cast to an integer can. */
function textOf(value: unknown, name: string, path: string): string {
  if (value === '') fail(path, 'the value must not be empty');
  if (typeof value === 'string') return value;
  if (name !== 'exact') fail(path, 'the value must be a string');
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER) {
    return String(value | 0);
  }
  return fail(path, 'the value must be a string, a boolean, or an integer between -2147483648 and 2147483647');
}

/** One attribute equal to, beginning with or ending in a text. */
export function testOf(name: 'exact' | 'prefix' | 'suffix', attribute: string, value: string): FilterTree {
  const of: FilterTree = { kind: 'attribute', name: attribute };
  if (name === 'exact') return { kind: 'compare', operator: '=', left: of, right: { kind: 'literal', value } };
  if (name === 'suffix') return { kind: 'like', of, pattern: `%${escapeLike(value)}` };
  return startsWith(of, value);
}

/** A pattern, but after a backslash no pattern can say "and then anything". */
export function startsWith(of: FilterTree, value: string): FilterTree {
  if (!endsInBackslash(value)) return { kind: 'like', of, pattern: `${escapeLike(value)}%` };
  const left: FilterTree = { kind: 'call', name: 'LEFT', args: [of, { kind: 'literal', value: [...value].length }] };
  return { kind: 'compare', operator: '=', left, right: { kind: 'literal', value } };
}

function fail(path: string, fault: string): never {
  throw new PolycastError('invalid-filter', path === '' ? fault : `${path}: ${fault}`);
}
