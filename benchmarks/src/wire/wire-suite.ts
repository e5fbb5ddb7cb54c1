import { startRedis } from '@polycast/local-services';
import { Redis } from 'ioredis';
import { median, quantile, shuffled } from '../measurement/statistics.ts';
import { type Goal, times } from '../measurement/table.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';
import { readWorkload } from '../workload.ts';
import { measureInTurns } from './latency-turns.ts';
import { redisBenchmark } from './redis-benchmark.ts';
import { allCpu, fromIntended, tablesOf, WireFigures } from './wire-figures.ts';
import { runScenario } from './wire-run.ts';
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
  const figures = new WireFigures();
  const server = await startRedis();
  const client = new Redis(server.url);
  const at = { url: server.url, cpuUs: () => redisCpuUs(client) };
  try {
    const moduleOf = (name: string) => new URL(`../contenders/${suite.folder}/${name}.js`, import.meta.url);
    const failed = (name: string, what: string, error: unknown) =>
      figures.failures.push(`${name}, ${what}: ${error instanceof Error ? error.message : error}`);
    const work = names.flatMap((name) => workload.scenarios.map((scenario) => ({ name, scenario })));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [done, { name, scenario }] of shuffled(work).entries()) {
        const what = scenario.name;
        progress(`${suite.title}: round ${round} of ${rounds}, ${done + 1} of ${work.length}: ${name}, ${what}`);
        try {
          await client.flushall();
          const run = await runScenario(moduleOf(name), at, scenario, workload);
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

function goalsOf({ pairs, title }: WireSuite, names: readonly string[], figures: WireFigures): Goal[] {
  const peers = names.filter((name) => !name.startsWith('polycast') && !name.startsWith('limit'));
  return pairs.flatMap(({ ours, bare }) => {
    const goals: Goal[] = [];
    const add = (goal: string, measured: string, met: boolean) =>
      goals.push({ goal: `${title}: ${ours} to ${bare}: ${goal}`, measured, met });
    const rate = (name: string, scenario: string) => median(figures.rates(name, scenario));

    const burst = rate(ours, 'burst') / rate(bare, 'burst');
    add('bursts at least 2× (aim: 3×)', times(burst), burst >= 2);
    const cpu = median(figures.cpu(ours, 'burst', allCpu)) / median(figures.cpu(bare, 'burst', allCpu));
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

async function redisCpuUs(client: Redis): Promise<number> {
  const info = await client.info('cpu');
  const read = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? Number.NaN);
  return (read('used_cpu_sys') + read('used_cpu_user')) * 1e6;
}
