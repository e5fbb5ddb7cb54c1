import { type Sample, SpeedScale } from '../measurement/calibration.ts';
import { runAlone } from '../measurement/child.ts';
import { median, shuffled } from '../measurement/statistics.ts';
import type { Goal, Table } from '../measurement/table.ts';
import type { Suite } from '../suite.ts';
import { readWorkload } from '../workload.ts';
import { indexPage, largeIndexPage } from './index-page.ts';
import type { IndexFigures } from './index-process.ts';
import { INDEX_WORKLOADS, type IndexWorkloadName } from './index-workload.ts';
import type { LargeIndexFigures } from './large-index-process.ts';
import { predicatePage } from './predicate-page.ts';
import type { PredicateFigures } from './predicate-process.ts';
import { subscriptionsPage } from './subscriptions-page.ts';
import type { SubscriptionFigures } from './subscriptions-process.ts';

export interface FilterWorkload {
  readonly rounds: number;
  readonly samples: number;
  readonly sampleMs: number;
  readonly warmUpMs: number;
  /** Different events that each contender sees. */
  readonly events: number;
  /** Different filters that are compiled in a row. */
  readonly compiled: number;
  readonly filters: number;
  readonly manyFilters: number;
  readonly subscriptions: number;
  /** Each subscription is for one region, each event of one. */
  readonly regions: number;
}

export interface Page {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

export const OURS = 'polycast';
export const HANDWRITTEN = 'limit-handwritten';
export const LIBRARIES = [
  'json-logic-engine',
  'filtrex',
  'cel-js',
  'sift',
  'mingo',
  'json-logic-js',
  'jsonata',
] as const;

/** What was measured, by contender and scenario; samples of all rounds together. */
export interface Measured {
  readonly predicates: Map<string, PredicateFigures>;
  readonly indexes: Map<string, IndexFigures>;
  readonly large: Map<IndexWorkloadName, LargeIndexFigures>;
  readonly subscriptions: Map<string, SubscriptionFigures>;
}

export const filterSuite: Suite = async ({ quick, only, rounds, progress }) => {
  const workload = readWorkload<FilterWorkload>('filter');
  const libraries = LIBRARIES.filter((name) => only.length === 0 || only.some((part) => name.includes(part)));
  const measured: Measured = { predicates: new Map(), indexes: new Map(), large: new Map(), subscriptions: new Map() };
  const scale = new SpeedScale();
  const text = JSON.stringify(workload);
  const run = async <Figures>(name: string, args: string[], options?: { execArgv?: string[]; timeoutMs?: number }) => {
    progress(`filter: ${name} ${args.join(', ')}`);
    return runAlone<Figures>(new URL(`./${name}-process.js`, import.meta.url), [...args, text], options);
  };
  const merge = <Figures extends object>(into: Map<string, Figures>, key: string, got: Figures) => {
    const before = into.get(key);
    const merged = Object.entries(got).map(([name, value]) => {
      if (!Array.isArray(value)) return [name, value];
      for (const sample of value as Sample[]) scale.see(sample.calibrationUs);
      return [name, [...((before as Record<string, Sample[]> | undefined)?.[name] ?? []), ...(value as Sample[])]];
    });
    into.set(key, Object.fromEntries(merged) as Figures);
  };

  const tasks: (() => Promise<void>)[] = [OURS, HANDWRITTEN, ...libraries].map((name) => async () => {
    merge(measured.predicates, name, await run<PredicateFigures>('predicate', [name]));
  });
  for (const kind of INDEX_WORKLOADS) {
    for (const name of [OURS, 'closures', ...(kind === 'equality' ? ['limit-hash'] : [])]) {
      tasks.push(async () => {
        merge(measured.indexes, `${name} ${kind}`, await run<IndexFigures>('index', [name, kind]));
      });
    }
  }
  for (const name of [OURS, 'limit-map']) {
    tasks.push(async () => {
      merge(measured.subscriptions, name, await run<SubscriptionFigures>('subscriptions', [name]));
    });
  }
  const total = rounds ?? (quick ? 1 : workload.rounds);
  for (let round = 1; round <= total; round += 1) for (const task of shuffled(tasks)) await task();
  for (const kind of INDEX_WORKLOADS) {
    const execArgv = ['--expose-gc', '--max-old-space-size=3000'];
    const got = await run<LargeIndexFigures>('large-index', [kind], { execArgv, timeoutMs: 300_000 });
    for (const sample of [...got.us, ...got.addUs, ...got.removeUs]) scale.see(sample.calibrationUs);
    measured.large.set(kind, got);
  }
  const pages = [
    predicatePage(measured, scale),
    indexPage(measured, scale, workload),
    largeIndexPage(measured, scale, workload),
    subscriptionsPage(measured, scale, workload),
  ];
  return {
    tables: pages.flatMap((page) => page.tables),
    goals: pages.flatMap((page) => page.goals),
    raw: Object.fromEntries(Object.entries(measured).map(([name, map]) => [name, Object.fromEntries(map)])),
  };
};

/** Times at the good speed of the machine. */
export function timesOf(scale: SpeedScale, samples: readonly Sample[] | undefined): number[] {
  return (samples ?? []).map((sample) => scale.time(sample));
}

export function medianTime(scale: SpeedScale, samples: readonly Sample[] | undefined): number {
  return median(timesOf(scale, samples));
}
