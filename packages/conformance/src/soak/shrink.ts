import type { Violation, ViolationKind } from '../history/judge/violation.ts';
import type { Plan, Step } from './plan.ts';

/**
 * Looks for a shorter history that breaks the contract in the same way, by leaving out ever smaller parts (delta debugging).
 * Histories are not exactly repeatable, so each part is tried `tries` times before it is taken to be needed.
 */
export async function shrink(
  plan: Plan,
  kinds: ReadonlySet<ViolationKind>,
  play: (plan: Plan) => Promise<readonly Violation[]>,
  options: { readonly untilMs: number; readonly tries: number; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly steps: readonly Step[]; readonly violations: readonly Violation[] | undefined }> {
  let steps = plan.steps;
  let found: readonly Violation[] | undefined;
  const isOver = () => performance.now() > options.untilMs || options.signal?.aborted === true;
  const fails = async (candidate: readonly Step[]): Promise<boolean> => {
    for (let at = 0; at < options.tries && !isOver(); at++) {
      const violations = await play({ ...plan, steps: candidate });
      if (!violations.some(({ kind }) => kinds.has(kind))) continue;
      found = violations;
      return true;
    }
    return false;
  };
  for (let size = Math.ceil(steps.length / 2); size >= 1 && !isOver(); ) {
    let removed = false;
    for (let from = 0; from < steps.length && !isOver(); ) {
      const candidate = [...steps.slice(0, from), ...steps.slice(from + size)];
      if (candidate.length < steps.length && (await fails(candidate))) {
        steps = candidate;
        removed = true;
      } else from += size;
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return { steps, violations: found };
}
