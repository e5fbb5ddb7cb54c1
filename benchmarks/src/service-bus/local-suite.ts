import { fork } from 'node:child_process';
import { once } from 'node:events';
import { median, quantile } from '../measurement/statistics.ts';
import { type Goal, short, type Table } from '../measurement/table.ts';
import type { Suite } from '../suite.ts';
import { readWorkload } from '../workload.ts';
import type { LocalOrder, LocalWorkload } from './local-order.ts';

const TITLE = 'Local Service Bus';

interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly order: LocalOrder;
  /** Judged: the most or the least it may be. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** What the local service itself can do, each figure in fresh processes of its own. */
export const localServiceBusSuite: Suite = async ({ quick, rounds: wanted, progress }) => {
  const workload = readWorkload<LocalWorkload>('service-bus-local');
  const rounds = wanted ?? (quick ? 2 : workload.rounds);
  const figures = figuresOf(workload, quick);
  const samples = new Map<string, number[]>();
  const failures: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { what, order } of figures) {
      progress(`${TITLE}: round ${round} of ${rounds}: ${what}`);
      try {
        samples.set(what, [...(samples.get(what) ?? []), await measure(order)]);
      } catch (error) {
        failures.push(`${what}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  const table: Table = {
    title: TITLE,
    columns: ['figure', 'median', 'p10–p90', 'unit'],
    rows: figures.map(({ what, unit }) => {
      const values = samples.get(what) ?? [];
      return [what, short(median(values)), `${short(quantile(values, 0.1))}–${short(quantile(values, 0.9))}`, unit];
    }),
    notes: [
      `Median of ${rounds} rounds on a machine that others use too; raw figures. Clients are the vendor's SDK in a process of its own.`,
      ...failures.map((failure) => `FAILED: ${failure}`),
    ],
  };
  const goals = figures.flatMap(({ what, unit, atMost, atLeast }): Goal[] => {
    if (atMost === undefined && atLeast === undefined) return [];
    const value = median(samples.get(what) ?? []);
    const met = (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
    const limit = atMost === undefined ? `at least ${short(atLeast!)}` : `at most ${short(atMost)}`;
    return [{ goal: `${TITLE}: ${what}: ${limit} ${unit}`, measured: short(value), met }];
  });
  return { tables: [table], goals, raw: Object.fromEntries(samples) };
};

function figuresOf(workload: LocalWorkload, quick: boolean): Figure[] {
  const { messages, queued, subscriptions, fanOutMessages } = workload;
  const churnSeconds = quick ? workload.churnSeconds / 10 : workload.churnSeconds;
  return [
    { what: 'start', unit: 'ms', order: { do: 'start' }, atMost: 300 },
    {
      what: 'send and receive, batches',
      unit: 'messages/s',
      order: { do: 'flow', messages, batch: 200 },
      atLeast: 20_000,
    },
    {
      what: 'send and receive, one send a message, 64 under way',
      unit: 'messages/s',
      order: { do: 'flow', messages: messages / 4, batch: 1 },
      atLeast: 5_000,
    },
    {
      what: `fan out to ${subscriptions} subscriptions with a rule each, all match`,
      unit: 'copies/s',
      order: { do: 'fan-out', subscriptions, messages: fanOutMessages, matching: subscriptions },
    },
    {
      what: `publish where 10 of ${subscriptions} rules match`,
      unit: 'messages/s',
      order: { do: 'fan-out', subscriptions, messages: fanOutMessages * 100, matching: 10 },
    },
    {
      what: `resident with ${short(queued)} messages of 200 bytes queued`,
      unit: 'MB',
      order: { do: 'queued', messages: queued },
      atMost: 1_500,
    },
    {
      what: `heap after ${churnSeconds} s of churn to half way`,
      unit: '×',
      order: { do: 'churn', seconds: churnSeconds },
      atMost: 1.05,
    },
  ];
}

async function measure(order: LocalOrder): Promise<number> {
  const child = fork(new URL('./local-process.js', import.meta.url), [JSON.stringify(order)], {
    execArgv: ['--expose-gc'],
  });
  const ended = new AbortController();
  child.once('exit', (code) => ended.abort(new Error(`ended with ${code}`)));
  try {
    const [value] = (await once(child, 'message', { signal: ended.signal })) as [number];
    return value;
  } finally {
    child.kill();
  }
}
