import { startRedis } from '@polycast/local-services';
import type { LatencyResult } from '@polycast/measure';
import { Redis } from 'ioredis';
import { SpeedScale } from '../measurement/calibration.ts';
import { median, quantile, shuffled } from '../measurement/statistics.ts';
import { cellOf, type Goal, pairedCellOf, short, type Table, times } from '../measurement/table.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';
import { readWorkload } from '../workload.ts';
import { measureInTurns } from './latency-turns.ts';
import { redisBenchmark } from './redis-benchmark.ts';
import { runScenario, type WireRun } from './wire-run.ts';
import type { WireWorkload } from './wire-workload.ts';

interface WireSuite {
  readonly folder: 'redis' | 'streams';
  readonly title: string;
  /** Bare ioredis: ratios of the tables are to it. */
  readonly reference: string;
  /** What is judged: ours, beside bare ioredis that does the same work. */
  readonly pairs: readonly { readonly ours: string; readonly bare: string }[];
  readonly contenders: readonly string[];
  /** Of the server's own tool. */
  readonly command: readonly string[];
}

export const redisSuite: Suite = (options) =>
  run(options, {
    folder: 'redis',
    title: 'Redis pub/sub',
    reference: 'ioredis',
    pairs: [{ ours: 'polycast', bare: 'ioredis' }],
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
    reference: 'ioredis-group',
    pairs: [
      { ours: 'polycast', bare: 'ioredis-xread' },
      { ours: 'polycast-group', bare: 'ioredis-group' },
    ],
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
  const workload = quick ? { ...full, latency: { ...full.latency, warmUpTurns: 5, turns: 7 } } : full;
  const rounds = options.rounds ?? (quick ? 2 : full.rounds);
  const always = new Set(suite.pairs.flatMap(({ ours, bare }) => [ours, bare]));
  const names = suite.contenders.filter(
    (name) => always.has(name) || only.length === 0 || only.some((part) => name.includes(part)),
  );
  const figures = new Figures();
  const server = await startRedis();
  const client = new Redis(server.url);
  try {
    const moduleOf = (name: string) => new URL(`../contenders/${suite.folder}/${name}.js`, import.meta.url);
    const failed = (name: string, what: string, error: unknown) =>
      figures.failures.push(`${name}, ${what}: ${error instanceof Error ? error.message : error}`);
    const work = names.flatMap((name) => workload.scenarios.map((scenario) => ({ name, scenario })));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [at, { name, scenario }] of shuffled(work).entries()) {
        const what = scenario.name;
        progress(`${suite.title}: round ${round} of ${rounds}, ${at + 1} of ${work.length}: ${name}, ${what}`);
        try {
          await client.flushall();
          const run = await runScenario(moduleOf(name), { url: server.url, client }, scenario, workload);
          figures.addRuns(name, what, run);
        } catch (error) {
          failed(name, what, error);
        }
      }
    }
    await client.flushall();
    const turns = await measureInTurns(
      names.map((name) => ({ name, module: moduleOf(name) })),
      workload,
      server.url,
      (turn, of) => progress(`${suite.title}: latency, turn ${turn} of ${of}`),
      (name, error) => failed(name, 'latency', error),
    );
    for (const [name, results] of turns) figures.addLatencies(name, results);
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

class Figures {
  readonly failures: string[] = [];
  readonly #runs = new Map<string, WireRun[]>();
  readonly #latencies = new Map<string, readonly LatencyResult[]>();
  readonly #scale = new SpeedScale();

  addRuns(name: string, scenario: string, runs: readonly WireRun[]): void {
    for (const run of runs) this.#scale.see(run.calibrationUs);
    const key = `${name} / ${scenario}`;
    this.#runs.set(key, [...(this.#runs.get(key) ?? []), ...runs]);
  }

  addLatencies(name: string, results: readonly LatencyResult[]): void {
    this.#latencies.set(name, results);
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
          pairedCellOf(figures.latency(name, of), figures.latency(reference, of)),
        ),
        String(sum(figures.latency(name, (result) => result.lost))),
        String(sum(figures.latency(name, (result) => result.reordered))),
      ]),
      notes: [
        `Medians of windows of ${workload.latency.windowS} s. Ratios are to \`${reference}\` in the same turn; above 1 is better; p10–p90 of the turns in brackets.`,
        'Raw times: they depend on waking a process more than on its speed. p50 and p99 count from the intended time.',
      ],
    },
  ];
}

function goalsOf({ pairs, title }: WireSuite, names: readonly string[], figures: Figures): Goal[] {
  const peers = names.filter((name) => !name.startsWith('polycast') && !name.startsWith('limit'));
  return pairs.flatMap(({ ours, bare }) => {
    const goals: Goal[] = [];
    const add = (goal: string, measured: string, met: boolean) =>
      goals.push({ goal: `${title}: ${ours} to ${bare}: ${goal}`, measured, met });
    const rate = (name: string, scenario: string) => median(figures.rates(name, scenario));

    const burst = rate(ours, 'burst') / rate(bare, 'burst');
    add('bursts at least 2× (aim: 3×)', times(burst), burst >= 2);
    const cpu = median(figures.cpu(ours, 'burst', all)) / median(figures.cpu(bare, 'burst', all));
    add('CPU a message at most 0.5×', times(cpu), cpu <= 0.5);
    const sequential = rate(ours, 'sequential') / rate(bare, 'sequential');
    add('one at a time at least 0.9×', times(sequential), sequential >= 0.9);
    for (const [part, limit] of [
      ['p50', 1.1],
      ['p99', 1.2],
    ] as const) {
      const base = figures.latency(bare, fromIntended(part));
      const ratios = figures.latency(ours, fromIntended(part)).map((value, turn) => value / base[turn]!);
      const spread = `${times(quantile(ratios, 0.1))} to ${times(quantile(ratios, 0.9))}`;
      const ratio = median(ratios);
      add(`${part} at 1,000/s at most ${limit}×`, `${times(ratio)} (${spread})`, ratio <= limit);
    }
    for (const scenario of ['burst', '64 producers']) {
      const best = Math.max(...peers.map((name) => rate(name, scenario)).filter((value) => !Number.isNaN(value)));
      const ratio = rate(ours, scenario) / best;
      add(`${scenario}: ahead of every peer`, times(ratio), ratio > 1);
    }
    return goals;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
