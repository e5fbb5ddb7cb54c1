import { CASES, type CaseResult, type ConformanceReport, runConformance } from '@polycast/conformance';
import { type ErrorCode, PolycastError } from '@polycast/core';
import { UsageError } from '../exit-code.ts';
import { hideSecrets } from '../output/secrets.ts';
import { firstLook } from './first-look.ts';
import { makeTarget } from './target.ts';

/**
 * The program of a child process: runs the conformance suite against one transport. The transport comes over the IPC channel rather
 * than as an argument, because its URL may hold a password, and every user of the machine can see arguments.
 */
export type Order = { readonly test: Round } | { readonly stop: true };

export interface Examinee {
  readonly url: string;
  /** Use a service started for this run, which may be disturbed? */
  readonly local: boolean;
  /** Leave out what takes long. If interrupted, the run ends at once, without a report. @default false */
  readonly firstLook?: boolean;
  /** Ids of cases. @default all */
  readonly cases?: readonly string[];
  /** @default a random one */
  readonly seed?: number;
  /** Try, too, what the manifest denies. @default false */
  readonly tryUnclaimed?: boolean;
}

/** The run of one process. */
export interface Round extends Examinee {
  /** Results of the processes before it. */
  readonly known: readonly CaseResult[];
  readonly tryUnclaimed: boolean;
}

export type News =
  /** The target is available. */
  | { readonly ready: true }
  | { readonly begun: string }
  | { readonly ended: CaseResult }
  /** The event loop of this process still runs. */
  | { readonly alive: true }
  | { readonly report: ConformanceReport }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } }
  | { readonly usage: string };

/** How often this process reports that its event loop runs, ms. */
const HEARTBEAT_MS = 1_000;

const stopping = new AbortController();
let leavesAtOnce = false;

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
  if (leavesAtOnce) process.exit();
  stopping.abort();
}

async function test(round: Round): Promise<void> {
  leavesAtOnce = round.local && round.firstLook === true;
  setInterval(() => send({ alive: true }), HEARTBEAT_MS);
  let news: News;
  try {
    news = { report: await examine(round) };
  } catch (thrown) {
    news = failure(thrown);
  }
  end(news);
}

async function examine({ url, local, firstLook: isFirst, cases, ...round }: Round): Promise<ConformanceReport> {
  const target = isFirst ? await firstLook(url, local) : await makeTarget(url, { local });
  try {
    send({ ready: true });
    return await runConformance(target, {
      ...round,
      ...(cases !== undefined && { cases: CASES.filter(({ id }) => cases.includes(id)) }),
      abortSignal: stopping.signal,
      onBegin: (begun) => send({ begun }),
      onCase: (ended) => send({ ended }),
    });
  } finally {
    await target.dispose?.();
  }
}

function failure(thrown: unknown): News {
  if (thrown instanceof UsageError) return { usage: hideSecrets(thrown.message) };
  const { code, message } = PolycastError.from(thrown);
  // The parent's constructor writes the code in front again.
  return { error: { code, message: hideSecrets(message.slice(`${code}: `.length)) } };
}

function send(news: News, sent = () => {}): void {
  // Fails when the parent is gone, and then this process goes, too.
  process.send?.(news, sent);
}

/** Whatever a transport has left open must not keep the process. */
function end(news: News): void {
  send(news, () => process.exit());
}
