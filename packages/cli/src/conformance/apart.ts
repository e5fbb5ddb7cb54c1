import { CASES, type CaseResult, type ConformanceReport, gradeOf } from '@polycast/conformance';
import { PolycastError } from '@polycast/core';
import { type Ended, runRound } from './child.ts';
import type { Examinee, Round } from './process.ts';

/** @param ended the case that ended last; undefined as soon as the target is there */
export type OnProgress = (progress: { readonly done: number; readonly total: number; readonly ended?: string }) => void;

/**
 * Runs the conformance suite in processes of its own: cases count what their process holds open, so that two runs cannot
 * share one, and nothing that is put to the test can end or stop this one. If a process dies or stops turning, each case
 * that was under way is run once more, alone; then another process goes on with what is left. None outlives this process, nor
 * does a service that they started.
 * @throws UsageError. @throws PolycastError what making the target throws; `internal` if a process ends while no case is under way; `aborted`
 */
export async function conformApart(
  examinee: Examinee,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<ConformanceReport> {
  const known = new Map<string, CaseResult>();
  const total = examinee.cases?.length ?? CASES.length;
  const seed = examinee.seed ?? Math.floor(Math.random() * 0x7fffffff);
  const took = (result: CaseResult) => {
    known.set(result.id, result);
    onProgress({ done: known.size, total, ended: result.id });
  };
  const run = (
    round: Partial<Round> & Pick<Round, 'tryUnclaimed'>,
    onEnded: (result: CaseResult) => void,
  ): Promise<Ended> =>
    runRound({ ...examinee, seed, known: [...known.values()], ...round }, signal, {
      onReady: () => onProgress({ done: known.size, total }),
      onEnded,
    });
  const alone = async (id: string): Promise<CaseResult> => {
    const ended = await run({ cases: [id], known: [], tryUnclaimed: false }, () => {});
    return 'report' in ended ? (ended.report.cases[0] as CaseResult) : failed(id, ended.died);
  };

  let { tryUnclaimed = false } = examinee;
  for (;;) {
    const ended = await run({ tryUnclaimed }, took);
    if ('report' in ended) return ended.report;
    const { died, underWay } = ended;
    if (underWay.length > 0) {
      for (const result of await blame(underWay, died, alone)) took(result);
    } else if (tryUnclaimed && known.size === total) {
      // What the manifest denies may do anything.
      tryUnclaimed = false;
    } else throw new PolycastError('internal', `its conformance process ended early: ${died}`);
  }
}

/** Which of the cases that were under way when a process died did it? If none does it alone, none of them can be trusted. */
async function blame(
  underWay: readonly string[],
  died: string,
  alone: (id: string) => Promise<CaseResult>,
): Promise<readonly CaseResult[]> {
  if (underWay.length === 1) return underWay.map((id) => failed(id, died));
  const results: CaseResult[] = [];
  for (const id of underWay) results.push(await alone(id));
  if (results.some(({ status }) => status === 'failed')) return results;
  return underWay.map((id) => failed(id, `${died} while this ran beside others (${underWay.join(', ')})`));
}

function failed(id: string, died: string): CaseResult {
  const { clause, title } = CASES.find((one) => one.id === id)!;
  const reason = `the process of the transport died: ${died}`;
  return { id, clause, grade: gradeOf(clause), title, status: 'failed', reason, durationMs: 0 };
}
