import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CASES } from './cases/index.ts';
import { gradeOf } from './clauses/index.ts';
import type { CaseResult, ConformanceReport } from './report.ts';
import { type RunOptions, runConformance } from './runner.ts';
import type { ConformanceTarget } from './target.ts';

export interface DescribeOptions extends Omit<RunOptions, 'onCase' | 'signal'> {
  /** Faults this target is known to lack: only cases that need one of these may end as `not-run`. @default none */
  readonly mayLack?: readonly string[];
  /** Cases known to fail, with the reason. One that passes all the same fails here: its reason is stale. @default none */
  readonly mayFail?: Readonly<Record<string, string>>;
  /** Maximum duration of the whole run, ms. @default 120_000 */
  readonly timeoutMs?: number;
  /** Receives the report, to write it down. */
  readonly onReport?: (report: ConformanceReport) => void | Promise<void>;
}

/**
 * Registers a test per case with vitest. The suite runs once, as fast as it may; each test waits for its own result.
 * Skipped cases are shown as skipped with their reason. A MUST that could not run fails, unless `mayLack` allows for it.
 */
export function describeConformance(
  name: string,
  makeTarget: () => ConformanceTarget | Promise<ConformanceTarget>,
  options: DescribeOptions = {},
): void {
  const { mayLack = [], mayFail = {}, timeoutMs = 120_000, onReport, ...runOptions } = options;
  const cases = (runOptions.cases ?? CASES).filter(
    ({ id, clause }) =>
      !runOptions.only?.length || runOptions.only.some((part) => id.includes(part) || clause === part),
  );

  describe(`conformance: ${name}`, () => {
    const waiting = new Map(cases.map(({ id }) => [id, deferred<CaseResult>()]));
    let report: Promise<ConformanceReport> | undefined;
    let target: ConformanceTarget | undefined;

    beforeAll(async () => {
      target = await makeTarget();
      report = runConformance(target, { ...runOptions, onCase: (result) => waiting.get(result.id)?.resolve(result) });
      report.catch((reason) => {
        for (const { reject } of waiting.values()) reject(reason);
      });
    });

    afterAll(async () => {
      await report?.catch(() => {});
      await target?.dispose?.();
    }, timeoutMs);

    for (const { id, title, clause, needs = [] } of cases) {
      test(
        `${id} (${clause}): ${title}`,
        async (context) => {
          const { status, reason: why = '', signals = [] } = await waiting.get(id)!.promise;
          const reason = [why, ...signals.map((line) => `signal ${line}`)].join('\n');
          const known = mayFail[id];
          if (status === 'failed' && known === undefined) throw new Error(reason);
          if (status === 'failed') context.skip(`known to fail: ${known}`);
          if (known !== undefined) throw new Error(`${status}, although it is known to fail: ${known}`);
          if (status === 'not-run' && gradeOf(clause) === 'MUST' && !needs.some((need) => mayLack.includes(need))) {
            throw new Error(`not run: ${reason}`);
          }
          if (status !== 'passed') context.skip(status === 'not-run' ? `not run: ${reason}` : reason);
        },
        timeoutMs,
      );
    }

    test(
      'the manifest claims nothing that the cases saw broken',
      async () => {
        const done = await report!;
        await onReport?.(done);
        const wrong = done.findings.filter(
          ({ kind, cases: about }) => kind === 'claims-too-much' && about.some((id) => mayFail[id] === undefined),
        );
        expect(wrong).toEqual([]);
      },
      timeoutMs,
    );
  });
}

function deferred<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: Value) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
