import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import type { FilterTarget, PushOptions } from '../../src/filter/target.ts';
import type { FILTER_TARGETS } from '../../src/filter/targets/index.ts';
import { events, filters, TYPES } from './push-down-cases.ts';
import { checkLaw } from './push-down-law.ts';

// The laws are worth what they catch: each rule of a planner that is broken here must be caught for the targets that use it.

type Name = keyof typeof FILTER_TARGETS;

interface Mutant {
  readonly does: string;
  /** The module that is replaced, from `src/filter/`, and with what. */
  readonly module: string;
  readonly breaks: (original: Record<string, unknown>) => Record<string, unknown>;
  readonly caughtBy: readonly Name[];
}

const MUTANTS: readonly Mutant[] = [
  {
    does: 'takes a broker without case to be exact on letters',
    module: 'targets/letter-case.ts',
    breaks: (original) => ({ ...original, isCaseless: () => true }),
    caughtBy: ['event-grid', 'service-bus-sql'],
  },
  {
    does: 'takes every attribute for a text',
    module: 'targets/value-sets.ts',
    breaks: (original) => ({
      ...original,
      valueSets: (...args: unknown[]) => ({
        ...(original.valueSets as (...args: unknown[]) => object)(...args),
        integer: { kind: 'none' },
        boolean: [],
        types: ['text'],
      }),
    }),
    caughtBy: ['service-bus-sql', 'service-bus-correlation', 'event-grid', 'ably'],
  },
  {
    does: 'sends as the common prefix of a list its first value',
    module: 'targets/common-prefix.ts',
    breaks: () => ({ commonPrefix: ([first]: readonly string[]) => first }),
    caughtBy: ['service-bus-sql', 'event-grid'],
  },
  {
    does: 'asks for what stands behind an OR',
    module: 'targets/surely-read.ts',
    breaks: () => ({
      surelyRead: (tree: object) => [...JSON.stringify(tree).matchAll(/"name":"([a-z]+)"/g)].map(([, name]) => name),
    }),
    caughtBy: ['service-bus-sql', 'event-grid', 'ably'],
  },
  {
    does: 'sends one branch of an OR',
    module: 'targets/event-grid-or.ts',
    breaks: () => ({ mergeBranches: ([filters]: readonly unknown[]) => ({ filters, exact: false }) }),
    caughtBy: ['event-grid'],
  },
  {
    does: 'takes AND for OR',
    module: 'targets/formula.ts',
    breaks: (original) => ({
      ...original,
      join: (_: string, parts: unknown) => (original.join as (kind: string, parts: unknown) => unknown)('and', parts),
    }),
    caughtBy: ['service-bus-sql', 'ably'],
  },
  {
    does: 'keeps no residual',
    module: 'targets/split.ts',
    breaks: (original) => ({
      ...original,
      split: (...args: unknown[]) => ({
        ...(original.split as (...args: unknown[]) => object)(...args),
        residual: { kind: 'always' },
      }),
    }),
    caughtBy: ['service-bus-sql', 'service-bus-correlation', 'event-grid', 'ably'],
  },
];

afterEach(() => {
  vi.doUnmock('../../src/filter/targets/letter-case.ts');
  vi.resetModules();
});

it.each(MUTANTS)(
  'a planner that $does is caught',
  async ({ module, breaks, caughtBy }) => {
    const path = `../../src/filter/${module}`;
    vi.resetModules();
    vi.doMock(path, async (importOriginal) => breaks(await importOriginal<Record<string, unknown>>()));
    const { FILTER_TARGETS: broken } = await import('../../src/filter/targets/index.ts');
    vi.doUnmock(path);
    const options = fc.constantFrom<PushOptions>({}, { types: TYPES });
    const given = fc.array(events, { minLength: 20, maxLength: 20 });
    const uncaught = caughtBy.filter((name) => {
      const target: FilterTarget = broken[name];
      const law = fc.property(filters, given, options, (tree, some, how) => checkLaw(target, tree, some, how));
      return !fc.check(law, { numRuns: 5_000, endOnFailure: true, seed: 1 }).failed;
    });
    expect(uncaught).toEqual([]);
  },
  60_000,
);
