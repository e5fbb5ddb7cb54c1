import { expect, test, vi } from 'vitest';
import type { Violation } from '../src/history/judge/violation.ts';
import type { Plan, Step } from '../src/soak/plan.ts';
import { shrink } from '../src/soak/shrink.ts';

const steps: readonly Step[] = Array.from({ length: 40 }, (_, slot) => ({ do: 'join', slot, afterMs: 0 }) as const);
const plan: Plan = { seed: 7, clocksMs: [0, 0, 0], steps };
const lost: Violation = { kind: 'lost', message: 'an event' };
const late: Violation = { kind: 'late', message: 'another' };
const slots = (found: readonly Step[]) => found.map((step) => (step.do === 'join' ? step.slot : -1));
/** Fails as long as these steps are there. */
const needs = (...needed: number[]) =>
  vi.fn(async (shorter: Plan) => (needed.every((slot) => slots(shorter.steps).includes(slot)) ? [lost] : [late]));
const inTime = { untilMs: Number.POSITIVE_INFINITY, tries: 1 };

test('finds the steps that a failure needs, and what they break', async () => {
  const play = needs(3, 17, 39);
  const shortest = await shrink(plan, new Set(['lost']), play, inTime);
  expect(slots(shortest.steps)).toEqual([3, 17, 39]);
  expect(shortest.violations).toEqual([lost]);
  // The rest of the plan stays: the same seed decides what handlers do.
  expect(play.mock.calls.every(([{ seed, clocksMs }]) => seed === 7 && clocksMs === plan.clocksMs)).toBe(true);
});

test('tries each part so often as it is told, since a failure may hide', async () => {
  let tries = 0;
  const hides = vi.fn(async (shorter: Plan) => (slots(shorter.steps).includes(5) && ++tries % 2 === 0 ? [lost] : []));
  const shortest = await shrink(plan, new Set(['lost']), hides, { ...inTime, tries: 2 });
  expect(slots(shortest.steps)).toEqual([5]);
});

test('keeps the whole history when no part of it fails so, and stops when its time is over', async () => {
  const other = await shrink(plan, new Set(['died']), needs(1), inTime);
  expect(other).toEqual({ steps, violations: undefined });
  const play = needs(1);
  const late = await shrink(plan, new Set(['lost']), play, { ...inTime, untilMs: performance.now() - 1 });
  expect([late.steps, play.mock.calls.length]).toEqual([steps, 0]);
});
