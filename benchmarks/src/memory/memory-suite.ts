import { type Sample, SpeedScale } from '../measurement/calibration.ts';
import { runAlone } from '../measurement/child.ts';
import { median, shuffled } from '../measurement/statistics.ts';
import { cellOf, type Goal, times } from '../measurement/table.ts';
import type { Suite } from '../suite.ts';
import { readWorkload } from '../workload.ts';

export interface MemoryWorkload {
  readonly payloadBytes: number;
  readonly subscribers: readonly number[];
  readonly rounds: number;
  readonly samples: number;
  readonly sampleMs: number;
  readonly warmUpMs: number;
}

const OURS = 'polycast';
/** Whom the goals name: an awaited publish must be ahead of these at every number of subscribers. */
const TO_BEAT = ['boringnode-bus', 'emittery', 'qified', 'moleculer', 'mqemitter'];
const CONTENDERS = [
  OURS,
  ...TO_BEAT,
  'graphql-subscriptions',
  'event-emitter',
  'eventemitter3',
  'mitt',
  'nanoevents',
  'rxjs',
  'limit-array-loop',
];
/** Returns nothing to await and isolates no handler: a wall for those that do, not a rival. */
const SYNCHRONOUS = new Set(['event-emitter', 'eventemitter3', 'mitt', 'nanoevents', 'rxjs', 'limit-array-loop']);

export const memorySuite: Suite = async ({ quick, only, rounds, progress }) => {
  const workload = readWorkload<MemoryWorkload>('memory');
  const plan = quick ? { ...workload, samples: 2 } : workload;
  const names = CONTENDERS.filter(
    (name) => name === OURS || only.length === 0 || only.some((part) => name.includes(part)),
  );
  const pairs = names.flatMap((name) => plan.subscribers.map((subscribers) => ({ name, subscribers })));
  const samples = new Map<string, Sample[]>();
  const scale = new SpeedScale();
  const failures: string[] = [];
  const total = rounds ?? (quick ? 1 : plan.rounds);
  for (let round = 1; round <= total; round += 1) {
    for (const [at, { name, subscribers }] of shuffled(pairs).entries()) {
      progress(`memory: round ${round} of ${total}, ${at + 1} of ${pairs.length}: ${name}, ${subscribers} subscribers`);
      const process = new URL('./memory-process.js', import.meta.url);
      try {
        const got = await runAlone<Sample[]>(process, [name, String(subscribers), JSON.stringify(plan)]);
        for (const sample of got) scale.see(sample.calibrationUs);
        samples.set(`${name} ${subscribers}`, [...(samples.get(`${name} ${subscribers}`) ?? []), ...got]);
      } catch (error) {
        failures.push(String(error));
      }
    }
  }
  const ratesOf = (name: string, subscribers: number) =>
    (samples.get(`${name} ${subscribers}`) ?? []).map((sample) => scale.rate(sample));
  const bestRival = (subscribers: number) =>
    TO_BEAT.map((name) => ratesOf(name, subscribers))
      .filter((rates) => rates.length > 0)
      .reduce<number[]>((best, rates) => (best.length === 0 || median(rates) > median(best) ? rates : best), []);
  const goals = plan.subscribers
    .filter((subscribers) => bestRival(subscribers).length > 0)
    .map((subscribers): Goal => {
      const ratio = median(ratesOf(OURS, subscribers)) / median(bestRival(subscribers));
      return {
        goal: `${subscribers} subscribers: ahead of ${TO_BEAT.join(', ')}`,
        measured: `${times(ratio)} the best of them`,
        met: ratio > 1,
      };
    });
  const byRate = [...names].sort((a, b) => median(ratesOf(b, 10)) - median(ratesOf(a, 10)));
  return {
    goals,
    raw: Object.fromEntries(samples),
    tables: [
      {
        title: 'In memory: publishes per CPU second, by number of subscribers',
        columns: ['contender', 'awaited', ...plan.subscribers.map((subscribers) => `${subscribers}`)],
        rows: byRate.map((name) => [
          name,
          SYNCHRONOUS.has(name) ? 'no' : 'yes',
          ...plan.subscribers.map((subscribers) => cellOf(ratesOf(name, subscribers), ratesOf(OURS, subscribers))),
        ]),
        notes: [
          'Ratios are to `polycast`, p10–p90 in brackets. Rates are scaled to the good speed of the machine seen in the run.',
          'Not awaited: `publish` returns nothing to wait for and a throwing handler stops the others: a wall, not a rival.',
          ...failures.map((failure) => `FAILED: ${failure}`),
        ],
      },
    ],
  };
};
