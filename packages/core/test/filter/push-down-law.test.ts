import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionOf } from '../../src/filter/condition-of.ts';
import { treeOf } from '../../src/filter/condition-tree.ts';
import { addressTarget } from '../../src/filter/push-down/addresses.ts';
import { events, filters } from './push-down-cases.ts';
import { describeLaw, passes } from './push-down-law.ts';

const manyEvents = fc.array(events, { minLength: 20, maxLength: 20 });

// Dialects are held to the law by the packages that have them.
describeLaw(addressTarget('addresses', 'A service that knows addresses', 'channel'));

describe('treeOf', () => {
  it('passes the events for which the condition holds', () => {
    fc.assert(
      fc.property(filters, manyEvents, (tree, given) => {
        const again = treeOf(conditionOf(tree));
        for (const event of given) expect([event, passes(again, event)]).toEqual([event, passes(tree, event)]);
      }),
      { numRuns: 3_000 },
    );
  }, 60_000);

  it('comes to an equivalent condition', () => {
    fc.assert(
      fc.property(filters, manyEvents, (tree, given) => {
        const once = treeOf(conditionOf(tree));
        const twice = treeOf(conditionOf(once));
        for (const event of given) expect([event, passes(twice, event)]).toEqual([event, passes(once, event)]);
      }),
      { numRuns: 1_000 },
    );
  });
});
