import fc from 'fast-check';
import { parseFilter } from '../../src/filter/parse.ts';
import type { PushOptions } from '../../src/filter/target.ts';
import type { FilterTree, FilterValue } from '../../src/filter/tree.ts';

/** What publishers are said to write, and do write, in the attributes below. */
export const TYPES: NonNullable<PushOptions['types']> = { count: 'integer', label: 'text', urgent: 'boolean' };

const ATTRIBUTES = ['type', 'subject', 'to', 'level', 'note', 'count', 'label', 'urgent', 'time', 'datacontenttype'];

/** Few, so that filters and events meet; and each with a near miss. */
const COMMON = [
  ...['', 'a', 'A', 'ab', 'Ab', 'order.moved', 'Order.Moved', 'order.', '5', '05', 'true', 'TRUE'],
  ...['role:kitchen', 'instance:k1,role:kitchen'],
];
const ODD = [
  ...['order.made', 'moved', 'é', 'É', '+5', '-1', '6', '12', 'False', 'null', '1.5', 'name', '*', '.', '[x]'],
  ...['%', '_', 'a%', 'a_b', '\\', 'a\\%', "it's", "''", '"', '`', 'say "x"', '`a`'],
  ...['😀', '\ud83d', 'ß', 'SS', 'K', 'k', 'ſ', 'İ', 'fals\u017f'],
  ...['role:bar', 'instance:k1', 'role:bar,role:kitchen', 'role:', ','],
];
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...COMMON) },
  { weight: 3, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const integer = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(0, 1, -1, 2, 5, 6, 7, 12, 2147483647, -2147483648) },
  { weight: 1, arbitrary: fc.integer({ min: -2147483648, max: 2147483647 }) },
);
const value: fc.Arbitrary<FilterValue> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: integer },
  fc.boolean(),
);
const PIECES = ['a', 'A', 'order', '.', 'moved', '5', '%', '%', '_', '\\%', '\\_', '\\', '!', '😀'];
const pattern = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('a%', '%A', '%b%', 'order.%', '%ord%', '%.%', '_', 'a_', '%5', '%', '-%', 'o%e%d'),
  },
  { weight: 1, arbitrary: text },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 5 }).map((pieces) => pieces.join('')) },
);
const name = fc.constantFrom(...ATTRIBUTES);

const attribute = name.map((name): FilterTree => ({ kind: 'attribute', name }));
const literal = value.map((value): FilterTree => ({ kind: 'literal', value }));
const manyLiterals = fc.oneof(
  { weight: 9, arbitrary: fc.array(literal, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(literal, { minLength: 20, maxLength: 90 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.nat(999), { minLength: 20, maxLength: 120 })
      .map((numbers) => numbers.map((number): FilterTree => ({ kind: 'literal', value: `order.number.${number}` }))),
  },
);
const operator = fc.constantFrom(
  '=' as const,
  '=' as const,
  '!=' as const,
  '<' as const,
  '<=' as const,
  '>' as const,
  '>=' as const,
);

/** Expressions as people write them, and others that brokers are asked for. */
const test: fc.Arbitrary<FilterTree> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('compare' as const), operator, left: attribute, right: literal }),
  },
  fc.record({ kind: fc.constant('compare' as const), operator, left: literal, right: attribute }),
  fc.record({ kind: fc.constant('compare' as const), operator, left: attribute, right: attribute }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('in' as const), of: attribute, values: manyLiterals }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('like' as const), of: attribute, pattern }) },
  { weight: 2, arbitrary: name.map((name): FilterTree => ({ kind: 'exists', name })) },
  attribute,
  fc.record({
    kind: fc.constant('compare' as const),
    operator,
    left: fc.record({
      kind: fc.constant('arithmetic' as const),
      operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
      left: attribute,
      right: fc.oneof(attribute, literal),
    }),
    right: fc.oneof(attribute, literal),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    operator,
    left: fc.record({ kind: fc.constant('call' as const), name: fc.constant('LOWER'), args: fc.tuple(attribute) }),
    right: literal,
  }),
);

/** Filters of the shapes that a push-down has to think about. */
export const filters: fc.Arbitrary<FilterTree> = fc
  .letrec<{ tree: FilterTree }>((tie) => {
    const tree = tie('tree');
    const several = fc.array(tree, { minLength: 2, maxLength: 4 });
    return {
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { weight: 4, arbitrary: test },
        { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: several }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('not' as const), of: tree }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('xor' as const), left: tree, right: tree }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('passes' as const), of: tree }) },
      ),
    };
  })
  .tree.map((tree) => parseFilter(tree));

/** Valid CloudEvents, as far as filters see them: what every event has is there, and declared types are kept. */
export const events: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.record(
  {
    specversion: fc.constant('1.0'),
    id: text,
    source: text,
    type: text,
    subject: text,
    time: fc.oneof(text, fc.constant('2026-11-21T10:00:00Z')),
    datacontenttype: text,
    to: fc.oneof({ weight: 9, arbitrary: text }, value),
    level: fc.oneof({ weight: 9, arbitrary: value }, fc.constantFrom<unknown>(null, 1.5)),
    note: fc.oneof({ weight: 9, arbitrary: value }, fc.constant(null)),
    count: integer,
    label: text,
    urgent: fc.boolean(),
  },
  { requiredKeys: ['specversion', 'id', 'source', 'type'] },
);
