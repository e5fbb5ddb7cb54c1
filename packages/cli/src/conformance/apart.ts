import { CASES, type CaseResult, type ConformanceReport, gradeOf } from '@polycast/conformance';
import { PolycastError } from '@polycast/core';
import { type Ended, runRound } from './child.ts';
import type { Examinee, Round } from './process.ts';

/** @param ended id of the case that ended last; undefined when the target becomes available */
export type OnProgress = (progress: { readonly done: number; readonly total: number; readonly ended?: string }) => void;

/**
 * Runs the conformance suite in child processes: cases count what their process holds open, so two runs cannot share one, and
 * a transport under test can neither end nor block this process. If a child dies or stops responding, each case that was
 * running is repeated alone; then another child continues with the rest. No child, and no service that a child started,
 * outlives this process.
 * @throws UsageError. @throws PolycastError what creating the target throws; `internal` if a child dies while no case is running; `aborted`
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
      // A case beyond the manifest did it, and those are not held against the transport.
      tryUnclaimed = false;
    } else throw new PolycastError('internal', `its conformance process ended early: ${died}`);
  }
}

/** Finds the case that killed its process. If none does alone, all that were running fail. */
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
