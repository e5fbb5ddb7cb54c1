import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { CaseResult, ConformanceReport } from '@polycast/conformance';
import { PolycastError } from '@polycast/core';
import { UsageError } from '../exit-code.ts';
import type { News, Order, Round } from './process.ts';

/** Maximum time from the request to stop until the process has cleaned up and ended, ms. Then it is killed. */
const STOP_TIMEOUT_MS = 15_000;
/** Maximum time without a message, counted in timer ticks of this process, s. After that the child is caught in a loop. */
const LONGEST_SILENCE_S = 20;

/** How a process ended: with a report, or early, with the ids of the cases that were running. */
export type Ended =
  | { readonly report: ConformanceReport }
  | { readonly died: string; readonly underWay: readonly string[] };

/**
 * Runs one process to its end.
 * @throws UsageError. @throws PolycastError what making the target throws; `aborted`
 */
export function runRound(
  round: Round,
  signal: AbortSignal,
  { onReady, onEnded }: { readonly onReady: () => void; readonly onEnded: (result: CaseResult) => void },
): Promise<Ended> {
  if (signal.aborted) return Promise.reject(new PolycastError('aborted', 'interrupted'));
  return new Promise((resolve, reject) => {
    // Its output goes to our stderr: stdout may be a report. `advanced`, because limits may be Infinity.
    const child = fork(builtFile('process'), [], {
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
    const underWay = new Set<string>();
    let last: Extract<News, { report: unknown } | { error: unknown } | { usage: unknown }> | undefined;
    let silentS = 0;
    const watch = setInterval(() => {
      silentS++;
      if (silentS === LONGEST_SILENCE_S) kill();
    }, 1_000);
    child.on('message', (news: News) => {
      silentS = 0;
      if ('ready' in news) onReady();
      else if ('begun' in news) underWay.add(news.begun);
      else if ('ended' in news) {
        underWay.delete(news.ended.id);
        onEnded(news.ended);
      } else if (!('alive' in news)) last = news;
    });
    const ended = (how: string) => {
      signal.removeEventListener('abort', stop);
      process.off('exit', kill);
      clearTimeout(killer);
      clearInterval(watch);
      const died = silentS >= LONGEST_SILENCE_S ? `it did not respond for ${LONGEST_SILENCE_S} s (busy loop)` : how;
      if (last !== undefined && 'report' in last) resolve(last);
      else if (signal.aborted) reject(new PolycastError('aborted', 'interrupted'));
      else if (last === undefined) resolve({ died, underWay: [...underWay] });
      else if ('usage' in last) reject(new UsageError(last.usage));
      else reject(new PolycastError(last.error.code, last.error.message));
    };
    // Could not be started.
    child.on('error', (error) => ended(error.message));
    // Not `exit`: what it sent may still be on the way then.
    child.once('close', (code, signalName) => ended(signalName ?? `exit ${code}`));
    signal.addEventListener('abort', stop, { once: true });
    // It would see that we are gone, unless it is busy: a case may have caught it in a loop.
    process.once('exit', kill);
    order({ test: round });
  });
}

/** A built module of this folder: Node 20 cannot run TypeScript there. From source (tests), its built sibling is meant. */
function builtFile(name: string): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? here.replace('/src/conformance/', '/dist/conformance/') : here;
  const file = new URL(`./${name}.js`, folder);
  if (!existsSync(file)) throw new Error(`polycast is not built: ${name}.js is missing; run \`npm run build\``);
  return file;
}
