import fc from 'fast-check';
import { parseFilter } from '../../src/filter/parse.ts';
import type { FilterTree, FilterValue } from '../../src/filter/tree.ts';

/** Attributes that generated trees and events share, so that they meet. */
export const NAMES = ['type', 'source', 'subject', 'level', 'wanted', 'note', 'constructor', '1abc'] as const;

const TEXTS = [
  ...['', 'a', 'A', 'ab', 'order.moved', 'true', 'FALSE', '5', '-5', '+7', '007', '2147483648', ' 5', '1e3'],
  ...["it's", 'say "x"', 'C:\\', "\\'", '\\\\"', '%', '_', '\\%', 'a_b%', '😀', '\ud83d', '\ude00b', 'a\nb', 'İ', 'ß'],
];
const INTEGERS = [0, 1, -1, 2, 5, 7, 2147483647, -2147483648, 65536];

export const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom('\\', "'", '"', '%', '_', 'a'), { maxLength: 8 }).map((a) => a.join('')),
  },
);
export const values: fc.Arbitrary<FilterValue> = fc.oneof(
  texts,
  fc.constantFrom(...INTEGERS),
  fc.integer({ min: -2147483648, max: 2147483647 }),
  fc.boolean(),
);
export const patterns: fc.Arbitrary<string> = fc.oneof(
  texts,
  fc
    .array(fc.constantFrom('a', 'b', '%', '_', '\\%', '\\_', '\\', '5', 'order', '😀'), { maxLength: 6 })
    .map((a) => a.join('')),
);

const literals: fc.Arbitrary<FilterTree> = values.map((value) => ({ kind: 'literal', value }));
const attributes: fc.Arbitrary<FilterTree> = fc.constantFrom(...NAMES).map((name) => ({ kind: 'attribute', name }));
const leaves: fc.Arbitrary<FilterTree> = fc.oneof(
  literals,
  attributes,
  fc.constantFrom(...NAMES).map((name): FilterTree => ({ kind: 'exists', name })),
);

const CALLS: readonly (readonly [name: string, count: number])[] = [
  ...(['LENGTH', 'LOWER', 'UPPER', 'TRIM', 'ABS', 'INT', 'BOOL', 'STRING'] as const).map((name) => [name, 1] as const),
  ['CONCAT', 0],
  ['CONCAT', 2],
  ['CONCAT_WS', 3],
  ['LEFT', 2],
  ['RIGHT', 2],
  ['SUBSTRING', 2],
  ['SUBSTRING', 3],
  ['NOBODY_KNOWS', 1],
];

function treesWith(more: (tree: fc.Arbitrary<FilterTree>) => fc.Arbitrary<FilterTree>[]): fc.Arbitrary<FilterTree> {
  return fc
    .letrec<{ tree: FilterTree }>((tie) => {
      const tree = tie('tree');
      const list = (minLength: number) => fc.array(tree, { minLength, maxLength: 3 });
      return {
        tree: fc.oneof(
          { depthSize: 'small', withCrossShrink: true },
          leaves,
          fc.record({ kind: fc.constant('not' as const), of: tree }),
          fc.record({ kind: fc.constant('negate' as const), of: tree }),
          fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: list(2) }),
          fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: list(2) }),
          fc.record({ kind: fc.constant('xor' as const), left: tree, right: tree }),
          fc.record({
            kind: fc.constant('compare' as const),
            operator: fc.constantFrom(
              '=' as const,
              '!=' as const,
              '<' as const,
              '<=' as const,
              '>' as const,
              '>=' as const,
            ),
            left: tree,
            right: tree,
          }),
          fc.record({
            kind: fc.constant('compare' as const),
            operator: fc.constantFrom('=' as const, '!=' as const),
            left: attributes,
            right: literals,
          }),
          fc.record({
            kind: fc.constant('arithmetic' as const),
            operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const, '%' as const),
            left: tree,
            right: tree,
          }),
          fc.record({ kind: fc.constant('like' as const), of: tree, pattern: patterns }),
          fc.record({ kind: fc.constant('in' as const), of: tree, values: list(1) }),
          fc.constantFrom(...CALLS).chain(([name, count]) =>
            fc.record({
              kind: fc.constant('call' as const),
              name: fc.constant(name),
              args: fc.array(tree, { minLength: count, maxLength: count }),
            }),
          ),
          ...more(tree),
        ),
      };
    })
    .tree.map((tree) => parseFilter(tree));
}

/** Every kind of tree that a text can be, as the parser makes it. */
export const trees: fc.Arbitrary<FilterTree> = treesWith(() => []);

/** With `passes` as well. */
export const allTrees: fc.Arbitrary<FilterTree> = treesWith((tree) => [
  fc.record({ kind: fc.constant('passes' as const), of: tree }),
]);

/** What attributes may be: missing, of any type, and of types that only a mistake makes. */
export const events: fc.Arbitrary<Record<string, unknown>> = fc.record(
  Object.fromEntries(
    NAMES.map((name) => [
      name,
      fc.oneof(
        { weight: 8, arbitrary: values },
        { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 1.5, {}, [], 2 ** 40) },
      ),
    ]),
  ),
  { requiredKeys: [] },
);
