import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ConformanceReport } from '@polycast/conformance';
import { PolycastError } from '@polycast/core';
import type { Examinee, News, Order } from './conformance-process.ts';

/** How long a process that was told to stop may take to leave another's service as it was, ms. Then it is killed. */
const STOP_TIMEOUT_MS = 15_000;

/**
 * Runs the conformance suite in a process of its own: cases count what their process holds open, so that two of them
 * cannot share one. The process never outlives this one, nor does a service that it started.
 * @param onProgress called when the target is there, with 0, and after each case
 * @throws PolycastError what making the target throws; `internal` if the process ends without a report; `aborted`
 */
export function conformApart(
  examinee: Examinee,
  signal: AbortSignal,
  onProgress: (percent: number, note: string) => void,
): Promise<ConformanceReport> {
  if (signal.aborted) return Promise.reject(new PolycastError('aborted', 'interrupted'));
  return new Promise((resolve, reject) => {
    // Its output goes to our stderr: stdout may be a report. `advanced`, because limits may be Infinity.
    const child = fork(builtFile('conformance-process'), [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', process.stderr.fd, process.stderr.fd, 'ipc'],
    });
    // With a callback, what cannot be sent to a process that has died is no error event: how it died says more.
    const order = (order: Order) => child.send(order, () => {});
    const kill = () => void child.kill('SIGKILL');
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      order({ stop: true });
      killer = setTimeout(kill, STOP_TIMEOUT_MS);
    };
    let last: Extract<News, { report: unknown } | { error: unknown }> | undefined;
    child.on('message', (news: News) => {
      if ('percent' in news) onProgress(news.percent, news.note);
      else last = news;
    });
    const ended = (how: string) => {
      signal.removeEventListener('abort', stop);
      process.off('exit', kill);
      clearTimeout(killer);
      if (signal.aborted) reject(new PolycastError('aborted', 'interrupted'));
      else if (last === undefined)
        reject(new PolycastError('internal', `its conformance process ended early (${how})`));
      else if ('report' in last) resolve(last.report);
      else reject(new PolycastError(last.error.code, last.error.message));
    };
    // Could not be started.
    child.on('error', (error) => ended(error.message));
    // Not `exit`: what it sent may still be on the way then.
    child.once('close', (code, signalName) => ended(signalName ?? `exit ${code}`));
    signal.addEventListener('abort', stop, { once: true });
    // It would see that we are gone, unless it is busy: a case may have caught it in a loop.
    process.once('exit', kill);
    order({ test: examinee });
  });
}

/** A built module of this folder: Node 20 cannot run TypeScript there. From source (tests), its built sibling is meant. */
function builtFile(name: string): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? here.replace('/src/compare/', '/dist/compare/') : here;
  const file = new URL(`./${name}.js`, folder);
  if (!existsSync(file)) throw new Error(`polycast is not built: ${name}.js is missing; run \`npm run build\``);
  return file;
}
