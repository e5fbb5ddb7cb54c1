import { type ConformanceReport, conforms } from '@polycast/conformance';
import { redactUrl } from '@polycast/core/configuration';
import { costCurve, type LatencyResult, listServices, priceWorkload, type Workload } from '@polycast/measure';
import { conformApart } from '../conformance/apart.ts';
import { measure } from '../measuring.ts';
import type { Progress, Task } from '../output/progress.ts';
import { hideSecrets, withoutSecrets } from '../output/secrets.ts';
import type { Terminal } from '../output/terminal.ts';
import { eachAtMost, type Outcome } from './at-once.ts';
import type { ComparedTransport, Comparison } from './comparison.ts';
import type { CompareOptions } from './options.ts';
import { longestFirst, type Subject } from './subject.ts';

/** Length of the closed loop that finds the throughput, s: enough for a figure, short enough for a first look. */
const THROUGHPUT_S = 1;
/** Conformance runs at the same time. They wait more than they work, but their cases have to end within seconds. */
const RUNS_AT_ONCE = 2;

/** Puts the transports to the test, then measures them, then prices the workload. */
export async function compare(
  subjects: readonly Subject[],
  workload: Workload,
  options: CompareOptions,
  progress: Progress,
  terminal: Terminal,
): Promise<Comparison> {
  const { interrupted } = terminal;
  const examined = longestFirst(options.conformance ? subjects : []);
  const tested = await eachAtMost(RUNS_AT_ONCE, examined, interrupted, (subject) =>
    conformance(subject, progress, interrupted),
  );
  // One after another: what is measured must have the machine to itself.
  const measured = await eachAtMost(1, options.latency ? subjects : [], interrupted, (subject) =>
    latency(subject, options, progress, terminal),
  );
  const compared: Comparison = {
    comparedAt: new Date().toISOString(),
    transports: subjects.map((subject, at) => combine(subject, tested[examined.indexOf(subject)], measured[at])),
    workload,
    cost: price(workload),
  };
  return withoutSecrets(compared, terminal.secrets);
}

async function conformance(
  { name, url, local }: Subject,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<ConformanceReport> {
  let task: Task | undefined;
  const examinee = { url, local, firstLook: true };
  const report = await conformApart(examinee, interrupted, ({ done, total, ended }) => {
    task ??= progress.task(`conformance ${name}`, total);
    task.update(done, ended);
  });
  const { passed, failed } = report.summary;
  task?.finish(`${passed} passed, ${failed} failed`);
  return report;
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
    url: redactUrl(url),
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
