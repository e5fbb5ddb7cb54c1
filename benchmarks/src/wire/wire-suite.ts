import { startRedis } from '@polycast/local-services';
import { type LatencyResult, measureLatency } from '@polycast/measure';
import { Redis } from 'ioredis';
import { SpeedScale } from '../measurement/calibration.ts';
import { median, shuffled } from '../measurement/statistics.ts';
import { cellOf, type Goal, short, type Table, times } from '../measurement/table.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';
import { readWorkload } from '../workload.ts';
import { redisBenchmark } from './redis-benchmark.ts';
import { runScenario, type WireRun } from './wire-run.ts';
import type { Scenario, WireWorkload } from './wire-workload.ts';

interface WireSuite {
  readonly folder: 'redis' | 'streams';
  readonly title: string;
  readonly ours: string;
  /** Bare ioredis: ratios are to it. */
  readonly reference: string;
  readonly contenders: readonly string[];
  /** Of the server's own tool. */
  readonly command: readonly string[];
}

export const redisSuite: Suite = (options) =>
  run(options, {
    folder: 'redis',
    title: 'Redis pub/sub',
    ours: 'polycast',
    reference: 'ioredis',
    contenders: [
      'polycast',
      'polycast-batch-off',
      'ioredis',
      'ioredis-6',
      'ioredis-auto-pipelining',
      'node-redis',
      'boringnode-bus',
      'mqemitter-redis',
      'moleculer',
      'nestjs',
      'socket.io',
      'graphql-redis-subscriptions',
      'qified',
      'limit-ioredis-coalesced',
    ],
    command: ['PUBLISH', 'bench', 'x'.repeat(200)],
  });

export const streamsSuite: Suite = (options) =>
  run(options, {
    folder: 'streams',
    title: 'Redis Streams',
    ours: 'polycast',
    reference: 'ioredis-group',
    contenders: [
      'polycast',
      'polycast-group',
      'ioredis-group',
      'ioredis-xread',
      'node-redis-group',
      'limit-ioredis-coalesced-group',
      'limit-ioredis-coalesced-xread',
    ],
    command: ['XADD', 'bench', 'MAXLEN', '~', '100000', '*', 'data', 'x'.repeat(200)],
  });

async function run(options: SuiteOptions, suite: WireSuite): Promise<SuiteResult> {
  const { quick, only, progress } = options;
  const full = readWorkload<WireWorkload>('wire');
  const workload = quick ? { ...full, runs: 2, latency: { ...full.latency, durationS: 3, warmUpS: 1 } } : full;
  const rounds = options.rounds ?? (quick ? 1 : full.rounds);
  const always = new Set([suite.ours, suite.reference]);
  const names = suite.contenders.filter(
    (name) => always.has(name) || only.length === 0 || only.some((part) => name.includes(part)),
  );
  const figures = new Figures();
  const server = await startRedis();
  const client = new Redis(server.url);
  try {
    const work: { name: string; scenario: Scenario | undefined }[] = names.flatMap((name) => [
      ...workload.scenarios.map((scenario) => ({ name, scenario })),
      { name, scenario: undefined },
    ]);
    for (let round = 1; round <= rounds; round += 1) {
      for (const [at, { name, scenario }] of shuffled(work).entries()) {
        const what = scenario?.name ?? 'latency';
        progress(`${suite.title}: round ${round} of ${rounds}, ${at + 1} of ${work.length}: ${name}, ${what}`);
        const module = new URL(`../contenders/${suite.folder}/${name}.js`, import.meta.url);
        try {
          await client.flushall();
          if (scenario)
            figures.addRuns(name, what, await runScenario(module, { url: server.url, client }, scenario, workload));
          else
            figures.addLatency(
              name,
              await measureLatency({ ...latencyOptions(workload), url: server.url, driver: module }),
            );
        } catch (error) {
          figures.failures.push(`${name}, ${what}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    const limits = await redisBenchmark(server.url, suite.command, progress);
    return {
      tables: [...tablesOf(suite, workload, names, figures), limits],
      goals: goalsOf(suite, names, figures),
      raw: figures.raw(),
    };
  } finally {
    await client.quit();
    await server.stop();
  }
}

function latencyOptions({ latency, payloadBytes }: WireWorkload) {
  return { ...latency, payloadBytes, throughputS: 0, subscribers: 1 };
}

class Figures {
  readonly failures: string[] = [];
  readonly #runs = new Map<string, WireRun[]>();
  readonly #latencies = new Map<string, LatencyResult[]>();
  readonly #scale = new SpeedScale();

  addRuns(name: string, scenario: string, runs: readonly WireRun[]): void {
    for (const run of runs) this.#scale.see(run.calibrationUs);
    const key = `${name} / ${scenario}`;
    this.#runs.set(key, [...(this.#runs.get(key) ?? []), ...runs]);
  }

  addLatency(name: string, result: LatencyResult): void {
    this.#latencies.set(name, [...(this.#latencies.get(name) ?? []), result]);
  }

  rates(name: string, scenario: string): number[] {
    return this.#of(name, scenario).map(({ perSecond, calibrationUs }) =>
      this.#scale.rate({ value: perSecond, calibrationUs }),
    );
  }

  cpu(name: string, scenario: string, of: (run: WireRun) => number): number[] {
    return this.#of(name, scenario).map((run) =>
      this.#scale.time({ value: of(run), calibrationUs: run.calibrationUs }),
    );
  }

  latency(name: string, of: (result: LatencyResult) => number): number[] {
    return (this.#latencies.get(name) ?? []).map(of);
  }

  raw(): unknown {
    return {
      runs: Object.fromEntries(this.#runs),
      latencies: Object.fromEntries(this.#latencies),
      failures: this.failures,
    };
  }

  #of(name: string, scenario: string): readonly WireRun[] {
    return this.#runs.get(`${name} / ${scenario}`) ?? [];
  }
}

const all = (run: WireRun) => run.publisherUs + run.subscriberUs + run.serverUs;
const fromPublish = (part: 'p50' | 'p99') => (result: LatencyResult) => result.fromPublishMs[part];
const fromIntended = (part: 'p50' | 'p99') => (result: LatencyResult) => result.endToEndMs[part];

function tablesOf(suite: WireSuite, workload: WireWorkload, names: readonly string[], figures: Figures): Table[] {
  const ordered = [...names].sort((a, b) => median(figures.rates(b, 'burst')) - median(figures.rates(a, 'burst')));
  const ratio = `Ratios are to \`${suite.reference}\`; above 1 is better; p10–p90 of all runs in brackets.`;
  const reference = suite.reference;
  return [
    {
      title: `${suite.title}: ${workload.payloadBytes} bytes, delivered a second`,
      columns: ['contender', ...workload.scenarios.map((scenario) => scenario.name)],
      rows: ordered.map((name) => [
        name,
        ...workload.scenarios.map((scenario) =>
          cellOf(figures.rates(name, scenario.name), figures.rates(reference, scenario.name)),
        ),
      ]),
      notes: [ratio, ...figures.failures.map((failure) => `FAILED: ${failure}`)],
    },
    {
      title: `${suite.title}: CPU µs a message in bursts, all three processes`,
      columns: ['contender', 'all', 'publisher', 'subscriber', 'server'],
      rows: ordered.map((name) => [
        name,
        cellOf(figures.cpu(name, 'burst', all), figures.cpu(reference, 'burst', all), true),
        ...[(run: WireRun) => run.publisherUs, (run: WireRun) => run.subscriberUs, (run: WireRun) => run.serverUs].map(
          (of) => short(median(figures.cpu(name, 'burst', of))),
        ),
      ]),
      notes: [ratio],
    },
    {
      title: `${suite.title}: latency in ms at ${workload.latency.rate} a second, open loop, loopback`,
      columns: ['contender', 'p50', 'p99', 'p50 from publish', 'p99 from publish', 'lost', 'reordered'],
      rows: ordered.map((name) => [
        name,
        ...[fromIntended('p50'), fromIntended('p99'), fromPublish('p50'), fromPublish('p99')].map((of) =>
          cellOf(figures.latency(name, of), figures.latency(reference, of), true),
        ),
        String(sum(figures.latency(name, (result) => result.lost))),
        String(sum(figures.latency(name, (result) => result.reordered))),
      ]),
      notes: [
        `${ratio} Raw times: they depend on waking a process more than on its speed. p50 and p99 count from the intended time.`,
      ],
    },
  ];
}

function goalsOf({ ours, reference, title }: WireSuite, names: readonly string[], figures: Figures): Goal[] {
  const rate = (name: string, scenario: string) => median(figures.rates(name, scenario));
  const goals: Goal[] = [];
  const add = (goal: string, ratio: number, met: boolean) =>
    goals.push({ goal: `${title}: ${goal}`, measured: times(ratio), met });

  const burst = rate(ours, 'burst') / rate(reference, 'burst');
  add('bursts at least 2× bare ioredis (aim: 3×)', burst, burst >= 2);
  const cpu = median(figures.cpu(ours, 'burst', all)) / median(figures.cpu(reference, 'burst', all));
  add('CPU a message at most 0.5× bare ioredis', cpu, cpu <= 0.5);
  const sequential = rate(ours, 'sequential') / rate(reference, 'sequential');
  add('one at a time at least 0.9× bare ioredis', sequential, sequential >= 0.9);
  for (const [part, limit] of [
    ['p50', 1.1],
    ['p99', 1.2],
  ] as const) {
    const ratio =
      median(figures.latency(ours, fromIntended(part))) / median(figures.latency(reference, fromIntended(part)));
    add(`${part} at most ${limit}× bare ioredis at 1,000/s`, ratio, ratio <= limit);
  }
  const peers = names.filter((name) => !name.startsWith('polycast') && !name.startsWith('limit'));
  for (const scenario of ['burst', '64 producers']) {
    const best = Math.max(...peers.map((name) => rate(name, scenario)).filter((value) => !Number.isNaN(value)));
    const ratio = rate(ours, scenario) / best;
    add(`${scenario}: ahead of every peer`, ratio, ratio > 1);
  }
  return goals;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
