import type { LatencyResult } from '@polycast/measure';
import { SpeedScale } from '../measurement/calibration.ts';
import { median } from '../measurement/statistics.ts';
import { cellOf, pairedCellOf, short, type Table } from '../measurement/table.ts';
import type { WireRun } from './wire-run.ts';
import type { WireWorkload } from './wire-workload.ts';

/** All that the runs of a suite measured. */
export class WireFigures {
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

/** CPU of all three processes. */
export const allCpu = (run: WireRun) => run.publisherUs + run.subscriberUs + run.serverUs;
export const fromPublish = (part: 'p50' | 'p99') => (result: LatencyResult) => result.fromPublishMs[part];
export const fromIntended = (part: 'p50' | 'p99') => (result: LatencyResult) => result.endToEndMs[part];

/** Rates, CPU and latency of all contenders, ratios to `reference`. */
export function tablesOf(
  suite: { readonly title: string; readonly reference: string },
  workload: WireWorkload,
  names: readonly string[],
  figures: WireFigures,
): Table[] {
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
        cellOf(figures.cpu(name, 'burst', allCpu), figures.cpu(reference, 'burst', allCpu), true),
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
