import type { Call, Handed, Published } from '../trace.ts';
import { handedTo, isBefore, isBlocked, isDuring, isFor, isOpenAtRest, nameOf, type Rule, type View } from './view.ts';

/** What was handed to an open subscription is handled, set aside, expired, or said to be lost. */
export const lost: Rule = (view) => {
  const { sub, trace, profile } = view;
  const wrong: string[] = [];
  const isAtRest = isOpenAtRest(sub, trace) && !isBlocked(view.calls, trace);
  let dropped = 0;
  let maybe = 0;
  for (const handed of latest(handedTo(view))) {
    const published = view.published(handed.number);
    if (published === undefined || !isDuring(handed.at, sub) || !isFor(view, published)) continue;
    if (isAccounted(view, published)) continue;
    if (isExpired(view, published)) {
      maybe++;
      continue;
    }
    if (profile.isLeased) {
      if (isAtRest && handed.settled !== 'release' && !handed.isVoid) {
        wrong.push(`lost: event ${handed.number} was handed to ${nameOf(view)} and is neither handled nor set aside`);
      }
    } else if (sub.crashedAt === undefined && sub.closedAt !== undefined) dropped++;
  }
  if (profile.isLeased) return wrong;
  const said = overflow(view);
  if (dropped > said) {
    wrong.push(`lost: ${nameOf(view)} was handed ${dropped} events that it did not handle, and said so of ${said}`);
  }
  if (said > dropped + maybe) {
    wrong.push(`false-overflow: ${nameOf(view)} says that it dropped ${said} events, and dropped ${dropped + maybe}`);
  }
  return wrong;
};

/** A subscription that is open and idle takes what the service keeps for it. */
export const stuck: Rule = (view) => {
  const { trace, family } = view;
  const waiting = trace.waitingAtRest.get(view.sub.plan.sub) ?? [];
  if (waiting.length === 0 || isBlocked(view.familyCalls, trace)) return [];
  if (family.length > 1 && family.some((one) => one.crashedAt !== undefined)) return [];
  const left = waiting.filter((number) => {
    const published = view.published(number);
    return published !== undefined && isFor(view, published) && published.to.includes('*');
  });
  return left.length === 0 ? [] : [`stuck: ${nameOf(view)} is idle and does not take ${left.join(', ')}`];
};

/** No event is handled again after it was accepted, unless the service had to deliver it again. */
export const duplicate: Rule = (view) => {
  const accepted = new Map<string, Call>();
  const wrong: string[] = [];
  for (const call of view.calls) {
    const identity = `${view.published(call.number)?.source} ${call.eventId}`;
    const before = accepted.get(identity);
    if (before !== undefined && isBefore(before.endedAt, call.startedAt) && !mayRepeat(view, before, call)) {
      wrong.push(`duplicate: ${nameOf(view)} handled event ${call.number} again after it was accepted`);
    }
    if (call.outcome === 'accepted' && before === undefined) accepted.set(identity, call);
  }
  return wrong;
};

/** Only what is settled can be known to be done: a settlement that did not arrive, or a lost lock, lets it come again. */
function mayRepeat(view: View, before: Call, call: Call): boolean {
  if (!view.profile.isLeased) return false;
  const { faults } = view.trace;
  return (
    before.number === call.number &&
    [...faults].some(
      (fault) => fault === 'cut' || fault === 'lose-locks' || fault.startsWith('settle') || fault.startsWith('renew'),
    )
  );
}

/** Nothing is handled after the close of its subscription, and nothing by a participant that left. */
export const afterClose: Rule = (view) =>
  view.calls
    .filter(({ startedAt }) => isBefore(view.sub.closedAt, startedAt))
    .map(({ number }) => `after-close: ${nameOf(view)} was given event ${number} after it was closed`);

/** Nothing is handled after its time. */
export const expired: Rule = (view) =>
  view.calls.flatMap((call) => {
    const published = view.published(call.number);
    if (published === undefined || published.kind === 'forged') return [];
    const latestMs = lastMoment(view, published, call) + published.ttlMs;
    return call.startedAt.ms > latestMs + TOLERANCE_MS
      ? [
          `expired-handled: ${nameOf(view)} was given event ${call.number} ${call.startedAt.ms - latestMs} ms after its time`,
        ]
      : [];
  });

/** Time to live counts from when the service took it; where it does not say when that was, from when it was handed over. */
function lastMoment(view: View, published: Published, call: Call): number {
  const taken = Math.max(published.calledAt.ms, ...published.taken.map(({ ms }) => ms));
  if (view.profile.isLeased) return taken;
  const arrivals = handedTo(view).filter(({ number, at }) => number === call.number && at.tick < call.startedAt.tick);
  return Math.max(taken, ...arrivals.map(({ at }) => at.ms));
}

/** Clocks in events are whole milliseconds. */
const TOLERANCE_MS = 2;

function isAccounted(view: View, published: Published): boolean {
  const { number, id } = published;
  const isSame = (call: Call) =>
    call.number === number ||
    (id !== undefined &&
      view.published(call.number)?.id === id &&
      view.published(call.number)?.source === published.source);
  if (view.calls.some((call) => isSame(call) && (call.outcome === 'accepted' || call.outcome === 'running')))
    return true;
  return isDeadLettered(view, number);
}

export function isDeadLettered(view: View, number: number): boolean {
  const ids = new Set(view.familyCalls.filter((call) => call.number === number).map(({ eventId }) => eventId));
  return view.family.some(({ signals }) =>
    signals.some(({ signal }) => signal.kind === 'dead-lettered' && ids.has(signal.eventId)),
  );
}

function isExpired({ trace }: View, published: Published): boolean {
  return published.calledAt.ms + published.ttlMs <= trace.restedAt.ms + 10_000;
}

function overflow({ sub }: View): number {
  return sub.signals.reduce(
    (sum, { signal }) => sum + (signal.kind === 'gap' && signal.reason === 'overflow' ? (signal.count ?? 0) : 0),
    0,
  );
}

/** The last delivery of each event. */
function latest(handed: readonly Handed[]): readonly Handed[] {
  return [...new Map(handed.map((one) => [one.number, one])).values()];
}
