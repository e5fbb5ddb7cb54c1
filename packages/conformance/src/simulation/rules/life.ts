import type { Moment, Trace } from '../trace.ts';

/** What core itself waits at most beyond the drain: for the service to take settlements, and for another source to listen. */
const SETTLE_MS = 3_000;
const HAND_OVER_MS = 5_000;
/** The service's own part: calls that are late. */
const SERVICE_MS = 4_000;

/** Every promise settles; every close ends in its time. */
export function life(trace: Trace): readonly string[] {
  const wrong: string[] = [];
  const isGone = (slot: number) => trace.slots.some((one) => one.slot === slot && one.crashedAt !== undefined);
  for (const { what, slot, isSettled } of trace.promises) {
    if (!isSettled && !isGone(slot)) wrong.push(`unsettled: ${what} of participant ${slot} never settled`);
  }
  for (const sub of trace.subscriptions.values()) {
    const boundMs = sub.drainMs + HAND_OVER_MS + SETTLE_MS + SERVICE_MS;
    if (sub.crashedAt !== undefined || sub.openedAt === undefined) continue;
    const what = `closing subscription ${sub.plan.sub}`;
    if (isLeaving(trace, sub.slot)) continue;
    wrong.push(...late(what, sub.closeCalledAt, sub.closedAt, boundMs));
  }
  for (const { instance, leaveCalledAt, leftAt, drainMs, crashedAt } of trace.slots) {
    if (crashedAt !== undefined) continue;
    const boundMs = 2 * drainMs + HAND_OVER_MS + 3 * SETTLE_MS + 2 * SERVICE_MS;
    wrong.push(...late(`closing ${instance}`, leaveCalledAt, leftAt, boundMs));
  }
  for (const published of trace.published) {
    if (published.resolvedAt !== undefined && published.taken.length === 0) {
      wrong.push(`not-taken: publish of event ${published.number} resolved, and the service never had it`);
    }
  }
  return wrong;
}

const isLeaving = (trace: Trace, slot: number): boolean =>
  trace.slots.some((one) => one.slot === slot && one.leaveCalledAt !== undefined);

function late(what: string, calledAt: Moment | undefined, endedAt: Moment | undefined, boundMs: number): string[] {
  if (calledAt === undefined || endedAt === undefined) return [];
  const tookMs = endedAt.ms - calledAt.ms;
  return tookMs > boundMs ? [`slow-close: ${what} took ${tookMs} ms, ${boundMs} are allowed`] : [];
}
