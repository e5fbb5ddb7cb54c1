/**
 * A process that plays histories, one after the other, on a service of its own. It starts and judges what others do, so that
 * neither a service that lives in it nor its end can harm the soak.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Harness } from '../harness.ts';
import { judge } from '../history/judge/judge.ts';
import type { Violation } from '../history/judge/violation.ts';
import type { Entry } from '../history/record.ts';
import { promisesOf } from '../history/record.ts';
import type { LaneNews, LaneOrder } from './lane-news.ts';
import { perform } from './performance.ts';
import { FAULTS, type Plan, planOf } from './plan.ts';
import type { Failure } from './report.ts';
import { shrink } from './shrink.ts';
import { faultsOf, Stage } from './stage.ts';

const stopping = new AbortController();
let next: (seed: number | undefined) => void = () => {};

process.on('message', (order: LaneOrder) => {
  if ('begin' in order) void begin(order.begin);
  else if ('seed' in order) next(order.seed);
  else {
    stopping.abort();
    next(undefined);
  }
});
// The parent says when it is over, on Ctrl-C too; without a parent there is nothing left to do.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

function tell(news: LaneNews): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(news, () => resolve());
  });
}

/** One entry on a line, for `judge` and for people. */
function write(folder: string, seed: number, entries: readonly Entry[]): void {
  mkdirSync(folder, { recursive: true });
  const lines = [...entries].sort((one, other) => one.at - other.at).map((entry) => JSON.stringify(entry));
  writeFileSync(join(folder, `${seed}.jsonl`), `${lines.join('\n')}\n`);
}

function leftoversOf(stage: Stage): readonly Violation[] {
  return stage.leftovers.splice(0).map((message) => ({ kind: 'residue', message }));
}

async function begin({
  harness: module,
  url,
  local,
  mutant,
  shrinkMs,
  recordTo,
}: Extract<LaneOrder, { begin: unknown }>['begin']): Promise<void> {
  try {
    const { harness } = (await import(module)) as { harness: Harness };
    const target = await harness({ url: new URL(url), local });
    const stage = await Stage.of(target);
    const { manifest } = target.transport();
    const promises = promisesOf(manifest);
    const faults = faultsOf(target);
    await tell({ ready: { transport: manifest.transport, untried: FAULTS.filter((kind) => !faults.has(kind)) } });
    const play = async (plan: Plan) => {
      const { entries, faults: done } = await perform(plan, stage, promises, { mutant, signal: stopping.signal });
      const judgement = judge(entries, promises);
      return { entries, done, judgement };
    };
    let last: number | undefined;
    for (;;) {
      const seed = await new Promise<number | undefined>((resolve) => {
        next = resolve;
        void tell({ wants: true });
      });
      if (seed === undefined || stopping.signal.aborted) break;
      last = seed;
      const plan = planOf(seed, manifest, faults);
      const { done, judgement, entries } = await play(plan);
      const leftovers = leftoversOf(stage);
      const violations = [...judgement.violations, ...leftovers];
      // What was cut short proves nothing.
      if (stopping.signal.aborted) break;
      const { violations: _, ...counts } = judgement;
      await tell({ played: { seed, faults: done, ...counts, residue: counts.residue + leftovers.length, violations } });
      if (violations.length === 0) continue;
      if (recordTo !== undefined) write(recordTo, seed, entries);
      const wanted = await new Promise<number | undefined>((resolve) => {
        next = resolve;
        void tell({ failed: violations.map(({ kind }) => kind) });
      });
      const failure: Failure = {
        seed,
        violations: violations.slice(0, 10),
        steps: plan.steps,
        of: plan.steps.length,
        reproduced: false,
      };
      if (wanted !== 1 || stopping.signal.aborted) {
        await tell({ failure });
        continue;
      }
      const kinds = new Set(violations.map(({ kind }) => kind));
      const shortest = await shrink(plan, kinds, async (shorter) => (await play(shorter)).judgement.violations, {
        untilMs: performance.now() + shrinkMs,
        tries: 2,
        signal: stopping.signal,
      });
      await tell({
        failure: {
          ...failure,
          steps: shortest.steps,
          violations: (shortest.violations ?? failure.violations).slice(0, 10),
          reproduced: shortest.violations !== undefined,
        },
      });
    }
    await stage.close();
    const left = leftoversOf(stage);
    if (left.length > 0 && last !== undefined) await tell({ left: { seed: last, violations: left } });
    await target.dispose?.();
    await tell({ over: true });
  } catch (thrown) {
    const { code, message, stack } = thrown as { code?: unknown; message?: unknown; stack?: unknown };
    await tell({
      broken: { code: typeof code === 'string' ? code : 'internal', message: String(message), stack: String(stack) },
    });
  }
  process.exit();
}
