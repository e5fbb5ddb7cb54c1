import { redactUrl } from '@polycast/core/configuration';
import type { LatencyOptions, LatencyResult } from '@polycast/measure';
import type { Task } from './output/progress.ts';
import { withoutSecrets } from './output/secrets.ts';
import type { Terminal } from './output/terminal.ts';
import { readTransportUrl } from './transport-url.ts';
import { bundledAdapterFile, transportFromUrl } from './transports.ts';

/** How far a measurement is when a step begins, and how much the step adds, in percent. */
const STEPS = { connecting: [0, 5], measuring: [5, 70], draining: [75, 5], throughput: [80, 15] } as const;

/**
 * Measures a transport by its URL, and shows how far it is on a task of 100.
 * @throws PolycastError what connecting throws, `unsupported`, `aborted`. @throws TypeError for numbers without meaning
 */
export async function measure(
  url: string,
  options: Omit<LatencyOptions, 'url' | 'onProgress' | 'signal' | 'transportModule'>,
  terminal: Terminal,
  task: Task,
): Promise<LatencyResult> {
  const { measureLatency } = await import('@polycast/measure');
  // A bad URL or a missing package is told here, not by a child process.
  await transportFromUrl(url);
  const transportModule = bundledAdapterFile(url);
  const result = await measureLatency({
    ...options,
    url: readTransportUrl(url).url.href,
    ...(transportModule !== undefined && { transportModule }),
    abortSignal: terminal.interrupted,
    onProgress({ step, done }) {
      const [from, length] = STEPS[step];
      task.update(from + length * done, step);
    },
  });
  const { p50, p99 } = result.endToEndMs;
  task.finish(`p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  return withoutSecrets({ ...result, setting: { ...result.setting, url: redactUrl(url) } }, terminal.secrets);
}
