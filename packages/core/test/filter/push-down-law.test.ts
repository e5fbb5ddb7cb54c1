import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionOf } from '../../src/filter/condition-of.ts';
import { treeOf } from '../../src/filter/condition-tree.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { planFilter } from '../../src/filter/plan.ts';
import type { FilterTarget, PushOptions } from '../../src/filter/target.ts';
import { FILTER_TARGETS } from '../../src/filter/targets/index.ts';
import { events, filters, TYPES } from './push-down-cases.ts';
import { checkLaw, passes } from './push-down-law.ts';
import { allTrees } from './trees.ts';

const PAIRS = 100_000;
const EVENTS = 20;

const manyEvents = fc.array(events, { minLength: EVENTS, maxLength: EVENTS });
const options = fc.constantFrom<PushOptions>({}, { types: TYPES });
const targets: readonly FilterTarget[] = Object.values(FILTER_TARGETS);

describe('push-down', () => {
  it('never drops what passes, and with the residual says what the filter says', () => {
    fc.assert(
      fc.property(filters, manyEvents, options, (tree, given, how) => {
        for (const target of targets) checkLaw(target, tree, given, how);
      }),
      { numRuns: PAIRS / EVENTS },
    );
  }, 60_000);

  it('does so for trees of any kind', () => {
    fc.assert(
      fc.property(allTrees, manyEvents, options, (tree, given, how) => {
        for (const target of targets) checkLaw(target, tree, given, how);
      }),
      { numRuns: 500 },
    );
  });

  it('gives a reason for all that is left, and a text for all that is sent', () => {
    fc.assert(
      fc.property(filters, options, (tree, how) => {
        for (const target of targets) {
          const { native, text, residual, reasons } = target.push(conditionOf(tree), how);
          expect(text === '').toBe(native === undefined);
          expect(reasons.length > 0).toBe(residual.kind !== 'always');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('planFilter', () => {
  it('prints a residual that says what it does', () => {
    fc.assert(
      fc.property(filters, manyEvents, options, (tree, given, how) => {
        for (const target of targets) {
          const { native, residual } = planFilter(tree, target, how);
          const printed = parseFilter(residual.toString());
          for (const event of given) {
            expect([event, target.name, passes(printed, event)]).toEqual([event, target.name, residual.matches(event)]);
            expect([event, native.matches(event) && residual.matches(event)]).toEqual([event, passes(tree, event)]);
          }
        }
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});

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
