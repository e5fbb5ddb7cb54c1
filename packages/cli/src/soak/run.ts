import { EXIT, type ExitCode, UsageError } from '../exit-code.ts';
import { writeJson } from '../output/json-file.ts';
import { startProgress } from '../output/progress.ts';
import { soakFailures, soakProgress, soakTable } from '../output/soak-table.ts';
import type { Terminal } from '../output/terminal.ts';
import { readTransportUrl } from '../transport-url.ts';
import { harnessFileOf, packageOf } from '../transports.ts';

export interface SoakChoice {
  readonly url: string;
  readonly local: boolean;
  readonly faults: number;
  readonly seed: number | undefined;
  readonly json: string | undefined;
}

/**
 * `polycast conform --soak`: generated histories with faults, until enough were done or Ctrl-C ends it; what was seen so far is
 * printed then.
 * @throws UsageError if the adapter brings no harness
 */
export async function soak({ url, local, faults, seed, json }: SoakChoice, terminal: Terminal): Promise<ExitCode> {
  const harness = await harnessFileOf(url);
  if (harness === undefined) {
    const name = await packageOf(url);
    throw new UsageError(`--soak needs a harness, and ${name} exports no ${name}/conformance`);
  }
  const { endured, runSoak } = await import('@polycast/conformance/soak');
  const progress = startProgress(terminal);
  try {
    const task = progress.task(`soak ${readTransportUrl(url).url.protocol.slice(0, -1)}`, faults);
    const report = await runSoak({
      harness,
      url: readTransportUrl(url).url.href,
      local,
      faults,
      ...(seed === undefined ? {} : { seed }),
      abortSignal: terminal.interrupted,
      onProgress: (soFar) => task.update(sum(soFar.faults), soakProgress(soFar)),
    });
    task.finish(soakProgress(report));
    progress.stop();
    if (json !== '-') terminal.stdout.write(soakTable(report, terminal) + soakFailures(report, terminal));
    // After what is shown: should the file fail, the result is not lost.
    if (json !== undefined) await writeJson(json, report, terminal);
    if (terminal.interrupted.aborted) return EXIT.interrupted;
    return endured(report) ? EXIT.ok : EXIT.failed;
  } finally {
    progress.stop();
  }
}

function sum(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((total, count = 0) => total + count, 0);
}
