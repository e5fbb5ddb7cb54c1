import fc from 'fast-check';
import { BroadcastEvent } from '../../src/envelope/event.ts';
import type { FilterEvent } from '../../src/filter/attribute-value.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import type { FilterTree } from '../../src/filter/tree.ts';
import { allTrees, events, NAMES, patterns, values } from './trees.ts';

const attributes: fc.Arbitrary<FilterTree> = fc.constantFrom(...NAMES).map((name) => ({ kind: 'attribute', name }));
const literals: fc.Arbitrary<FilterTree> = values.map((value) => ({ kind: 'literal', value }));
const comparisons = fc.constantFrom(
  '=' as const,
  '=' as const,
  '!=' as const,
  '<' as const,
  '<=' as const,
  '>' as const,
);

/** What filters are made of: an attribute beside literals. */
const tests: fc.Arbitrary<FilterTree> = fc.oneof(
  fc.record({ kind: fc.constant('compare' as const), operator: comparisons, left: attributes, right: literals }),
  fc.record({ kind: fc.constant('compare' as const), operator: comparisons, left: literals, right: attributes }),
  fc.record({
    kind: fc.constant('in' as const),
    of: attributes,
    values: fc.array(literals, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('like' as const), of: attributes, pattern: patterns }),
  fc.constantFrom(...NAMES).map((name): FilterTree => ({ kind: 'exists', name })),
  attributes,
  { weight: 1, arbitrary: allTrees },
);

/** Filters as people write them, with every connective between the tests. */
export const filterTrees: fc.Arbitrary<FilterTree> = fc
  .letrec<{ tree: FilterTree }>((tie) => {
    const tree = tie('tree');
    return {
      tree: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        tests,
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          of: fc.array(tree, { minLength: 2, maxLength: 5 }),
        }),
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          of: fc.array(tests, { minLength: 2, maxLength: 12 }),
        }),
        fc.record({ kind: fc.constant('not' as const), of: tree }),
        fc.record({ kind: fc.constant('xor' as const), left: tree, right: tree }),
        fc.record({ kind: fc.constant('passes' as const), of: tree }),
      ),
    };
  })
  .tree.map((tree) => parseFilter(tree));

/** Plain objects, and the same attributes as Polycast's own event where it can hold them. */
export const anyEvents: fc.Arbitrary<FilterEvent> = fc
  .tuple(events, fc.boolean())
  .map(([plain, isOwn]) => (isOwn ? ownEvent(plain) : plain));

function ownEvent(plain: Record<string, unknown>): FilterEvent {
  const { type, source, ...rest } = plain;
  const attributes = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
  ) as Record<string, string>;
  return new BroadcastEvent({ type: String(type), source: String(source), id: 'a', attributes });
}
