import { type ConformanceReport, type ConformanceTarget, conforms, runConformance } from '@polycast/conformance';
import { PolycastError } from '@polycast/core';
import { costCurve, type LatencyResult, listServices, priceWorkload, type Workload } from '@polycast/measure';
import { makeTarget } from '../conformance-target.ts';
import { measure } from '../measuring.ts';
import type { Progress } from '../output/progress.ts';
import { hideSecrets } from '../output/secrets.ts';
import type { Terminal } from '../output/terminal.ts';
import type { ComparedTransport, Comparison } from './comparison.ts';
import type { CompareOptions } from './options.ts';
import type { Subject } from './subject.ts';

/** Length of the closed loop that finds the throughput, s: enough for a figure, short enough for a first look. */
const THROUGHPUT_S = 1;

/** Puts the transports to the test, then measures them, then prices the workload. */
export async function compare(
  subjects: readonly Subject[],
  workload: Workload,
  options: CompareOptions,
  progress: Progress,
  terminal: Terminal,
): Promise<Comparison> {
  const tested = await inTurn(options.conformance ? subjects : [], terminal, (subject) =>
    conformance(subject, progress, terminal),
  );
  const measured = await inTurn(options.latency ? subjects : [], terminal, (subject) =>
    latency(subject, options, progress, terminal),
  );
  return {
    comparedAt: new Date().toISOString(),
    transports: subjects.map((subject, at) => combine(subject, tested[at], measured[at])),
    workload,
    cost: price(workload),
  };
}

type Outcome<Value> = { readonly value: Value } | { readonly error: PolycastError };

/**
 * One after another: the suite counts this process's handles, and what is measured must have the machine to itself.
 * One transport that cannot be reached must not hide what is known of the others.
 */
async function inTurn<Value>(
  subjects: readonly Subject[],
  { interrupted }: Terminal,
  work: (subject: Subject) => Promise<Value>,
): Promise<readonly Outcome<Value>[]> {
  const outcomes: Outcome<Value>[] = [];
  for (const subject of subjects) {
    try {
      outcomes.push({ value: await work(subject) });
    } catch (error) {
      outcomes.push({ error: PolycastError.from(error) });
    }
    interrupted.throwIfAborted();
  }
  return outcomes;
}

async function conformance(
  { name, url, local }: Subject,
  progress: Progress,
  terminal: Terminal,
): Promise<ConformanceReport> {
  const target = await firstLook(url, local);
  const task = progress.task(`conformance ${name}`, 100);
  try {
    const report = await runConformance(target, {
      tryUnclaimed: false,
      signal: terminal.interrupted,
      onCase: ({ id }, { done, total }) => task.update((100 * done) / total, id),
    });
    const { passed, failed } = report.summary;
    task.finish(`${passed} passed, ${failed} failed`);
    return report;
  } finally {
    await target.dispose?.();
  }
}

/** On a service of its own everything is tried but silence: waiting until somebody notices takes longer than all the rest. */
async function firstLook(url: string, local: boolean): Promise<ConformanceTarget> {
  const target = await makeTarget(url, { local });
  if (!local || target.faults === undefined) return target;
  const { freeze: _freeze, thaw: _thaw, ...faults } = target.faults;
  const command = `polycast conform --url ${url.slice(0, url.indexOf(':'))}: --local`;
  return {
    ...target,
    faults,
    withoutFaults: { ...target.withoutFaults, freeze: `takes too long here; \`${command}\` tries it` },
  };
}

function latency(
  { name, url }: Subject,
  options: CompareOptions,
  progress: Progress,
  terminal: Terminal,
): Promise<LatencyResult> {
  const { rate, duration, payload, subscribers } = options;
  const task = progress.task(`latency ${name}`, 100);
  return measure(
    url,
    { rate, durationS: duration, payloadBytes: payload, subscribers, throughputS: Math.min(THROUGHPUT_S, duration) },
    terminal,
    task,
  );
}

function combine(
  { name, url }: Subject,
  tested: Outcome<ConformanceReport> | undefined,
  measured: Outcome<LatencyResult> | undefined,
): ComparedTransport {
  const report = tested && 'value' in tested ? tested.value : undefined;
  const result = measured && 'value' in measured ? measured.value : undefined;
  const error = [tested, measured].flatMap((it) => (it && 'error' in it ? it.error : []))[0];
  return {
    name,
    url: hideSecrets(url),
    conforms: report === undefined ? tested === undefined : conforms(report),
    ...(report !== undefined && { conformance: report }),
    ...(result !== undefined && { latency: result }),
    ...(error !== undefined && { error: { code: error.code, message: hideSecrets(error.message) } }),
  };
}

function price(workload: Workload): Comparison['cost'] {
  const rows = priceWorkload(workload);
  const names = new Set(rows.map(({ service }) => service));
  const curves = listServices()
    .filter(({ service }) => names.has(service))
    .map(({ service, title, transports }) => ({ service, title, transports, points: costCurve(workload, service) }));
  return { rows, curves };
}
