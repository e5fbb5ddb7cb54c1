import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { compileCondition } from '../../src/filter/compile.ts';
import { conditionOf } from '../../src/filter/condition-of.ts';
import { treeOf } from '../../src/filter/condition-tree.ts';
import { evaluateTree } from '../../src/filter/evaluate.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { planFilter } from '../../src/filter/plan.ts';
import { printFilter } from '../../src/filter/print.ts';
import type { FilterTarget, Pushed, PushOptions } from '../../src/filter/target.ts';
import type { FilterTree } from '../../src/filter/tree.ts';
import { withinCpuMs } from './cpu-time.ts';
import { events, filters, TYPES } from './push-down-cases.ts';
import { allTrees } from './trees.ts';

export type Event = Readonly<Record<string, unknown>>;
/** One way in which a service may read its native filter. */
export type Reading = (event: Event) => boolean;
/** What the pages of a vendor leave open is tried either way. */
export type ReadingsOf = (pushed: Pushed) => readonly Reading[];

const itsOwn: ReadingsOf = ({ accepts }) => [accepts];

/** The truth that everything is held against: the evaluator, which knows nothing of conditions. */
export function passes(tree: FilterTree, event: Event): boolean {
  const { value, error } = evaluateTree(tree, event);
  return error === undefined && value === true;
}

/**
 * *Exact accepts ⇒ native accepts*, and *native and residual ⇔ exact*, for each event and each reading of the native filter.
 * @throws Error with the first event for which it is not so
 */
export function checkLaw(
  target: FilterTarget,
  tree: FilterTree,
  events: readonly Event[],
  options: PushOptions,
  readingsOf: ReadingsOf = itsOwn,
): void {
  const pushed = target.push(conditionOf(tree), options);
  const residual = compileCondition(pushed.residual);
  const readings = pushed.native === undefined ? itsOwn(pushed) : readingsOf(pushed);
  for (const event of events) {
    const wanted = passes(tree, event);
    const rest = residual(event);
    for (const [at, native] of readings.entries()) {
      const brought = native(event);
      if ((brought && rest) === wanted && (brought || !wanted)) continue;
      throw new Error(
        `${target.name}, reading ${at}: ${JSON.stringify(event)} ${wanted ? 'passes' : 'does not pass'}, ` +
          `native ${brought}: ${pushed.text}, residual ${rest}: ${printFilter(treeOf(pushed.residual))}`,
      );
    }
  }
}

const PAIRS = 100_000;
const EVENTS = 20;
const manyEvents = fc.array(events, { minLength: EVENTS, maxLength: EVENTS });
const options = fc.constantFrom<PushOptions>({}, { types: TYPES });

const HOSTILE = {
  'a list of 15,000 values': () => `subject IN (${Array.from({ length: 15_000 }, (_, at) => `'${at}'`).join()})`,
  'an OR of 3,500 branches': () =>
    Array.from({ length: 3_500 }, (_, at) => `(EXISTS a${at % 50} AND a${at % 50} = '${at}')`).join(' OR '),
  'a pattern of many pieces': () => `type LIKE '${'%a_'.repeat(20_000)}'`,
  'an AND of 5,000 tests': () => Array.from({ length: 5_000 }, (_, at) => `a${at} = '${at}'`).join(' AND '),
};

/** What holds for every target. Each package that has one calls this in a test. */
export function describeLaw(target: FilterTarget, readingsOf: ReadingsOf = itsOwn): void {
  describe(`push-down to ${target.name}`, () => {
    it('never drops what passes, and with the residual says what the filter says', () => {
      fc.assert(
        fc.property(filters, manyEvents, options, (tree, given, how) => checkLaw(target, tree, given, how, readingsOf)),
        { numRuns: PAIRS / EVENTS },
      );
    }, 60_000);

    it('does so for trees of any kind', () => {
      fc.assert(
        fc.property(allTrees, manyEvents, options, (tree, given, how) =>
          checkLaw(target, tree, given, how, readingsOf),
        ),
        { numRuns: 500 },
      );
    });

    it('gives a reason for all that is left, and a text for all that is sent', () => {
      fc.assert(
        fc.property(filters, options, (tree, how) => {
          const { native, text, residual, reasons } = target.push(conditionOf(tree), how);
          expect(text === '').toBe(native === undefined);
          expect(reasons.length > 0).toBe(residual.kind !== 'always');
        }),
        { numRuns: 1_000 },
      );
    });

    it('leaves a residual whose text says what it does', () => {
      fc.assert(
        fc.property(filters, manyEvents, options, (tree, given, how) => {
          const { native, residual } = planFilter(tree, target, how);
          const printed = parseFilter(residual.toString());
          for (const event of given) {
            expect([event, target.name, passes(printed, event)]).toEqual([event, target.name, residual.matches(event)]);
            expect([event, native.matches(event) && residual.matches(event)]).toEqual([event, passes(tree, event)]);
          }
        }),
        { numRuns: 500 },
      );
    }, 60_000);

    it.each(Object.entries(HOSTILE))('%s does not take long', (_, make) => {
      const filter = parseFilter(make());
      const condition = conditionOf(filter);
      withinCpuMs(1_000, () => {
        target.push(condition, {});
        planFilter(filter, target);
      });
    });
  });
}

/** A rule of a planner, broken: the laws are worth what they catch. */
export interface PlannerMutant {
  readonly does: string;
  /** The module that is replaced, and with what. */
  readonly module: URL;
  readonly breaks: (original: Record<string, unknown>) => Record<string, unknown>;
}

const ofKit = (name: string) => new URL(`../../src/filter/push-down/${name}.ts`, import.meta.url);

/** Mutants of what dialects share. A dialect must catch those of what it uses. */
export const KIT_MUTANTS = {
  case: {
    does: 'takes a service that ignores case to be exact on letters',
    module: ofKit('letter-case'),
    breaks: (original) => ({ ...original, isCaseless: () => true }),
  },
  types: {
    does: 'takes every attribute for a text',
    module: ofKit('accepted-values'),
    breaks: (original) => ({
      ...original,
      acceptedValues: (...args: unknown[]) => ({
        ...(original.acceptedValues as (...args: unknown[]) => object)(...args),
        integer: { kind: 'none' },
        boolean: [],
        types: ['text'],
      }),
    }),
  },
  prefix: {
    does: 'sends as the common prefix of a list its first value',
    module: ofKit('common-prefix'),
    breaks: () => ({ commonPrefix: ([first]: readonly string[]) => first }),
  },
  presence: {
    does: 'asks for what stands behind an OR',
    module: ofKit('required-attributes'),
    breaks: () => ({
      requiredAttributes: (tree: object) =>
        [...JSON.stringify(tree).matchAll(/"name":"([a-z]+)"/g)].map(([, name]) => name),
    }),
  },
  formula: {
    does: 'takes AND for OR',
    module: ofKit('formula'),
    breaks: (original) => ({
      ...original,
      joinFormulas: (_: string, parts: unknown) =>
        (original.joinFormulas as (kind: string, parts: unknown) => unknown)('and', parts),
    }),
  },
  residual: {
    does: 'keeps no residual',
    module: ofKit('split'),
    breaks: (original) => ({
      ...original,
      splitCondition: (...args: unknown[]) => ({
        ...(original.splitCondition as (...args: unknown[]) => object)(...args),
        residual: { kind: 'always' },
      }),
    }),
  },
} as const satisfies Readonly<Record<string, PlannerMutant>>;

/** Does the law catch each mutant? @param load imports the target anew */
export function describeMutants(
  name: string,
  mutants: readonly PlannerMutant[],
  load: () => Promise<FilterTarget>,
  readingsOf: ReadingsOf = itsOwn,
): void {
  it.each(mutants)(
    `a planner of ${name} that $does is caught`,
    async ({ module, breaks }) => {
      vi.resetModules();
      vi.doMock(module.pathname, async (importOriginal) => breaks(await importOriginal<Record<string, unknown>>()));
      try {
        const broken = await load();
        const law = fc.property(filters, manyEvents, options, (tree, given, how) =>
          checkLaw(broken, tree, given, how, readingsOf),
        );
        // By the law, and not because something else went wrong.
        const { errorInstance } = fc.check(law, { numRuns: 5_000, endOnFailure: true, seed: 1 });
        expect(String(errorInstance)).toMatch(/, reading \d+: .* pass/);
      } finally {
        vi.doUnmock(module.pathname);
        vi.resetModules();
      }
    },
    60_000,
  );
}
