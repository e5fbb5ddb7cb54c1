import { median, quantile, shuffled } from '../measurement/statistics.ts';
import { type Goal, short, type Table, times } from '../measurement/table.ts';
import type { Suite } from '../suite.ts';
import { measureInTurns } from '../wire/latency-turns.ts';
import { fromIntended, tablesOf, WireFigures } from '../wire/wire-figures.ts';
import { runScenario } from '../wire/wire-run.ts';
import type { WireWorkload } from '../wire/wire-workload.ts';
import { readWorkload } from '../workload.ts';
import { idleBytes } from './idle-memory.ts';
import { forkService } from './service.ts';

const TITLE = 'Service Bus';
const OURS = 'polycast';
/** The bare SDK used well. */
const BATCHED = 'sdk-batched';
/** The bare SDK used as most people do. */
const ONE_EACH = 'sdk-one-each';
/** Ours, with an SDK whose shape it does not know. */
const OURS_PUBLIC = 'polycast-public';
const NAMES = [OURS, OURS_PUBLIC, BATCHED, 'sdk-batched-cloudevents', ONE_EACH, 'sdk-one-each-unawaited'];

interface Workload extends WireWorkload {
  /** Of which the memory is taken. */
  readonly idleSubscriptions: number;
}

/** All on the same local service, in one run. */
export const serviceBusSuite: Suite = async ({ quick, rounds: wanted, progress }) => {
  const full = readWorkload<Workload>('service-bus');
  const workload = quick ? { ...full, latency: { ...full.latency, warmUpTurns: 4, turns: 7 } } : full;
  const rounds = wanted ?? (quick ? 2 : full.rounds);
  const figures = new WireFigures();
  const service = await forkService();
  const moduleOf = (name: string) => new URL(`../contenders/service-bus/${name}.js`, import.meta.url);
  const failed = (name: string, what: string, error: unknown) =>
    figures.failures.push(`${name}, ${what}: ${error instanceof Error ? error.message : error}`);
  try {
    const work = NAMES.flatMap((name) => workload.scenarios.map((scenario) => ({ name, scenario })));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [done, { name, scenario }] of shuffled(work).entries()) {
        progress(`${TITLE}: round ${round} of ${rounds}, ${done + 1} of ${work.length}: ${name}, ${scenario.name}`);
        try {
          figures.addRuns(name, scenario.name, await runScenario(moduleOf(name), service, scenario, workload));
        } catch (error) {
          failed(name, scenario.name, error);
        }
      }
    }
    const turns = await measureInTurns(
      NAMES.map((name) => ({ name, module: moduleOf(name) })),
      workload,
      service.url,
      (turn, of) => progress(`${TITLE}: latency, turn ${turn} of ${of}`),
      (name, error) => failed(name, 'latency', error),
    );
    for (const [name, results] of turns) figures.addLatencies(name, results);
    const idle = await idleFigures(service.url, workload.idleSubscriptions, progress);
    return {
      tables: [...tablesOf({ title: TITLE, reference: BATCHED }, workload, NAMES, figures), idle.table],
      goals: [...goalsOf(figures), idle.goal],
      raw: { ...(figures.raw() as object), idle: idle.bytes },
    };
  } finally {
    service.stop();
  }
};

async function idleFigures(url: string, subscriptions: number, progress: (text: string) => void) {
  const bytes: Record<'polycast' | 'sdk', number[]> = { polycast: [], sdk: [] };
  for (let round = 1; round <= 3; round += 1) {
    for (const which of shuffled(['polycast', 'sdk'] as const)) {
      progress(`${TITLE}: memory of ${subscriptions} idle subscriptions, round ${round} of 3: ${which}`);
      bytes[which].push(await idleBytes(which, url, subscriptions));
    }
  }
  const ratio = median(bytes.polycast) / median(bytes.sdk);
  const table: Table = {
    title: `${TITLE}: heap of one idle subscription, bytes`,
    columns: ['contender', 'bytes', 'to the bare receiver'],
    rows: [
      [OURS, short(median(bytes.polycast)), times(ratio)],
      ['sdk', short(median(bytes.sdk)), times(1)],
    ],
    notes: [`Mean of ${subscriptions} in one process, median of 3 processes; less is better here.`],
  };
  const goal: Goal = {
    goal: `${TITLE}: memory of an idle subscription at most 1.25× the bare receiver's`,
    measured: times(ratio),
    met: ratio <= 1.25,
  };
  return { bytes, table, goal };
}

function goalsOf(figures: WireFigures): Goal[] {
  const goals: Goal[] = [];
  const add = (goal: string, measured: string, met: boolean) =>
    goals.push({ goal: `${TITLE}: ${goal}`, measured, met });
  const rate = (name: string, scenario: string) => median(figures.rates(name, scenario));
  for (const [bare, floor, how] of [
    [BATCHED, 0.95, 'used well'],
    [ONE_EACH, 3, 'with one awaited send an event'],
  ] as const) {
    const ratio = rate(OURS, 'burst') / rate(bare, 'burst');
    add(`bursts at least ${floor}× the bare SDK ${how}`, times(ratio), ratio >= floor);
  }
  for (const part of ['p50', 'p99'] as const) {
    const base = figures.latency(BATCHED, fromIntended(part));
    const ratios = figures.latency(OURS, fromIntended(part)).map((value, turn) => value / base[turn]!);
    const ratio = median(ratios);
    const spread = `${times(quantile(ratios, 0.1))} to ${times(quantile(ratios, 0.9))}`;
    add(`${part} end to end at most 1.1× the bare SDK's`, `${times(ratio)} (${spread})`, ratio <= 1.1);
  }
  return goals;
}
