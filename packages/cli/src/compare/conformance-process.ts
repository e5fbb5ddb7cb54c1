import { type ConformanceReport, runConformance } from '@polycast/conformance';
import { type ErrorCode, PolycastError } from '@polycast/core';
import { hideSecrets } from '../output/secrets.ts';
import { firstLook } from './first-look.ts';

/**
 * The program of a child process: puts one transport to the test. It comes over the IPC channel rather than as an
 * argument, because its URL may hold a password, and arguments are shown to everybody on the machine.
 */
export type Order = { readonly test: Examinee } | { readonly stop: true };

export interface Examinee {
  readonly url: string;
  /** On a service started for it, which may be broken? */
  readonly local: boolean;
}

export type News =
  /** The first one comes when the target is there. */
  | { readonly percent: number; readonly note: string }
  | { readonly report: ConformanceReport }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

const stopping = new AbortController();
let local = false;

process.on('message', (order: Order) => {
  if ('stop' in order) stop();
  else void test(order.test);
});
process.on('SIGTERM', stop);
// The parent decides when it is over, on Ctrl-C too; without a parent there is nothing left to do.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
// An adapter that throws where nobody can catch it must be named, not only its stack printed.
process.on('uncaughtException', (thrown) => end(failure(thrown)));

/** A service of our own goes with this process (exit hooks see to it); on another's, what the run left is removed first. */
function stop(): void {
  if (local) process.exit();
  stopping.abort();
}

async function test(examinee: Examinee): Promise<void> {
  local = examinee.local;
  let news: News;
  try {
    news = { report: await examine(examinee) };
  } catch (thrown) {
    news = failure(thrown);
  }
  end(news);
}

async function examine({ url, local }: Examinee): Promise<ConformanceReport> {
  const target = await firstLook(url, local);
  try {
    tell({ percent: 0, note: '' });
    return await runConformance(target, {
      tryUnclaimed: false,
      signal: stopping.signal,
      onCase: ({ id }, { done, total }) => tell({ percent: (100 * done) / total, note: id }),
    });
  } finally {
    await target.dispose?.();
  }
}

function failure(thrown: unknown): News {
  const { code, message } = PolycastError.from(thrown);
  // The parent's constructor writes the code in front again.
  return { error: { code, message: hideSecrets(message.slice(`${code}: `.length)) } };
}

function tell(news: News, sent = () => {}): void {
  // Fails when the parent is gone, and then this process goes, too.
  process.send?.(news, sent);
}

/** Whatever a transport has left open must not keep the process. */
function end(news: News): void {
  tell(news, () => process.exit());
}
