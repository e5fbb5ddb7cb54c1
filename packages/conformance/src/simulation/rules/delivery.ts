import type { Call, Handed, Published } from '../trace.ts';
import {
  handedTo,
  isAddressed,
  isBefore,
  isBlocked,
  isDuring,
  isFor,
  isForGroups,
  isForInstance,
  isOpenAtRest,
  nameOf,
  type Rule,
  type View,
} from './view.ts';

/** What was handed to an open subscription is handled, set aside, expired, or said to be lost. */
export const lost: Rule = (view) => {
  const { sub, trace } = view;
  const wrong: string[] = [];
  const isAtRest = isOpenAtRest(sub, trace) && !isBlocked(view.calls, trace);
  const dropped = new Set<string>();
  let copies = 0;
  let maybe = 0;
  for (const handed of latest(handedTo(view))) {
    const published = view.published(handed.number);
    if (published === undefined || !isBefore(sub.calledAt, handed.at) || !isFor(view, published)) continue;
    if (isAccounted(view, published, handed)) {
      // Of several events with one id, and of several copies, the others may be dropped.
      const isCopy = view.part === 'instance' && comesBothWays(view, published);
      if (published.id !== undefined || isCopy || cameBefore(view, published, handed)) maybe++;
      continue;
    }
    if (isExpired(view, published) || !isDuring(handed.at, sub)) {
      // Or a copy of it.
      if (handedTo(view).some(({ number, at }) => number === handed.number && isBefore(at, sub.closedAt))) maybe++;
      continue;
    }
    if (view.isLeased) {
      if (isAtRest && !isWithService(view, handed.number)) {
        wrong.push(`lost: event ${handed.number} was handed to ${nameOf(view)} and is neither handled nor set aside`);
      }
    } else if (sub.crashedAt === undefined && sub.closedAt !== undefined) {
      // Of each copy it may be said.
      copies += published.id === undefined ? 1 : handedTo(view).filter(({ number }) => number === handed.number).length;
      dropped.add(published.id === undefined ? `${published.number}` : `${published.source} ${published.id}`);
    }
  }
  if (view.isLeased || sub.crashedAt !== undefined) return wrong;
  const said = overflow(view);
  const failed = sub.signals.filter(({ signal }) => signal.kind === 'failed' && signal.what === 'settle').length;
  if (dropped.size > said + failed) {
    wrong.push(
      `lost: ${nameOf(view)} was handed ${dropped.size} events that it did not handle, and said so of ${said}`,
    );
  }
  if (said > copies + maybe) {
    wrong.push(`false-overflow: ${nameOf(view)} says that it dropped ${said} events, and dropped ${copies + maybe}`);
  }
  return wrong;
};

/** A subscription that is open and idle takes what the service keeps for it. */
export const stuck: Rule = (view) => {
  const { trace, family, part, sub } = view;
  const waiting =
    (part === 'instance' ? trace.waitingDirectly.get(sub.slot) : trace.waitingAtRest.get(sub.plan.sub)) ?? [];
  // What is for an instance all members of groups that it has take together.
  const concerned =
    part === 'instance'
      ? trace.calls.filter((call) => trace.subscriptions.get(call.sub)?.slot === sub.slot)
      : [...view.familyCalls, ...view.calls];
  if (waiting.length === 0 || !isOpenAtRest(sub, trace) || isBlocked(concerned, trace)) return [];
  // A dead letter that never gets an answer holds its place.
  const isNative = view.profile.manifest.capabilities.deadLetter.level === 'native';
  if (trace.faults.has(isNative ? 'settle:never' : 'publish:never')) return [];
  if (family.length > 1 && family.some((one) => one.crashedAt !== undefined)) return [];
  const left = waiting.filter((number) => {
    const published = view.published(number);
    if (published === undefined || !isFor(view, published)) return false;
    return part !== 'whole' || published.to.includes('*');
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
  if (view.part === 'group') wrong.push(...twiceAtOnce(view));
  return wrong;
};

/** What a member is at it is not given by the other way that it came. */
function twiceAtOnce(view: View): readonly string[] {
  return view.calls.flatMap((call, at) => {
    const isAtIt = view.calls
      .slice(0, at)
      .some((other) => other.number === call.number && !other.wasAbandoned && !isBefore(other.endedAt, call.startedAt));
    return isAtIt ? [`duplicate: ${nameOf(view)} was given event ${call.number} again while it was at it`] : [];
  });
}

/** No event is in two handlers of a subscription at once, however often the service has to deliver it again. */
export const overlap: Rule = (view) => {
  const last = new Map<number, Call>();
  const wrong: string[] = [];
  for (const call of view.calls) {
    const before = last.get(call.number);
    if (before !== undefined && !isBefore(before.endedAt, call.startedAt)) {
      wrong.push(`overlap: ${nameOf(view)} was given event ${call.number} while a handler was still at it`);
    }
    last.set(call.number, call);
  }
  return wrong;
};

/**
 * A subscription that has accepted an event knows it, whatever became of the settlement. One that was told before that its lock is
 * lost has not accepted it: its handler may have stopped early. Others of its group or name know nothing.
 */
function mayRepeat(view: View, before: Call, call: Call): boolean {
  if (!view.isLeased) return false;
  const isShared = view.part === 'whole' && view.family.length > 1;
  return before.wasAbandoned || before.number !== call.number || isShared;
}

/** What several members share is settled when the last of them is done with it. */
export const settledEarly: Rule = (view) =>
  handedTo(view).flatMap(({ number, settled, settledAt, at }) => {
    if (settled !== 'accept' || settledAt === undefined) return [];
    const isAtIt = view.calls.some(
      (call) =>
        call.number === number &&
        isBefore(at, call.startedAt) &&
        isBefore(call.startedAt, settledAt) &&
        !call.wasAbandoned &&
        (call.endedAt === undefined || isBefore(settledAt, call.endedAt)),
    );
    return isAtIt ? [`settled-early: event ${number} was accepted while ${nameOf(view)} was at it`] : [];
  });

/** Nothing is handled after the close of its subscription, and nothing by a participant that left. */
export const afterClose: Rule = (view) =>
  view.calls
    .filter(({ startedAt }) => isBefore(view.sub.closedAt, startedAt))
    // A reader that may have closed it itself is not waited for.
    .filter(() => !view.sub.plan.isRead)
    .map(({ number }) => `after-close: ${nameOf(view)} was given event ${number} after it was closed`);

/** A handler that closes its own subscription, and awaits that, does not wait for itself. */
export const selfWait: Rule = (view) =>
  view.calls.flatMap((call) => {
    const { closesWithinMs: drainMs, endedAt, startedAt } = call;
    if (drainMs === undefined || drainMs < 100 || view.trace.faults.size > 0 || view.sub.crashedAt !== undefined)
      return [];
    if (
      view.calls.some((other) => other !== call && (other.endedAt === undefined || other.endedAt.tick > startedAt.tick))
    ) {
      return [];
    }
    const tookMs = (endedAt?.ms ?? Number.POSITIVE_INFINITY) - startedAt.ms;
    return tookMs >= drainMs
      ? [`self-wait: ${nameOf(view)} was closed by its own handler, which waited ${tookMs} ms`]
      : [];
  });

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
  if (view.isLeased && view.profile.isLeased) return taken;
  const arrivals = handedTo(view).filter(({ number, at }) => number === call.number && at.tick < call.startedAt.tick);
  return Math.max(taken, ...arrivals.map(({ at }) => at.ms));
}

/** Clocks in events are whole milliseconds. */
const TOLERANCE_MS = 2;

/** The service has it again, in one of its messages, or has lost it: then that is the service's to say. */
function isWithService(view: View, number: number): boolean {
  const last = new Map(handedTo(view).flatMap((one) => (one.number === number ? [[one.offset, one]] : [])));
  if ([...last.values()].some(({ settled, isVoid }) => settled === 'release' || isVoid)) return true;
  return view.sources.some((source) => source.lost.some((lost) => lost.number === number));
}

/** Through its group, and for its instance. */
function comesBothWays({ part, sub }: View, published: Published): boolean {
  return part !== 'whole' && isForInstance(sub, published) && isForGroups(published);
}

/** When it came first, to any member and by either way: what was set aside then is not handled again when it comes again. */
function firstOf({ family, trace }: View, handed: Handed): Handed {
  const sources = trace.sources.filter(({ slot, sub, isDirect }) =>
    family.some((member) => member.slot === slot && (isDirect || sub === member.plan.sub)),
  );
  const all = sources.flatMap((source) => source.handed.filter(({ number }) => number === handed.number));
  return all.reduce((first, one) => (one.at.tick < first.at.tick ? one : first), handed);
}

function isAccounted(view: View, published: Published, handed: Handed): boolean {
  const same = view.familyCalls.filter((call) => isSame(view, call, published));
  if (same.some(({ outcome }) => outcome === 'accepted' || outcome === 'running')) return true;
  if (view.isLeased && view.trace.deadLetters.some(({ number }) => number === published.number)) return true;
  const ids = new Set(same.map(({ eventId }) => eventId));
  const setAside = view.family.flatMap(({ signals }) =>
    signals.filter(({ signal }) => signal.kind === 'dead-lettered' && ids.has(signal.eventId)),
  );
  if (same.length === 0 && cameBefore(view, published, handed)) return true;
  if (published.id === undefined) return setAside.length > 0;
  // Without a lease it shares the fate of another one under its id that was being handled when it came.
  if (!view.isLeased && same.some((call) => call.number !== published.number && isDuringCall(handed, call)))
    return true;
  // Published again after it was set aside, it must be handled again; before, it is a duplicate. So are copies of one publish.
  const first = view.isLeased ? firstOf(view, handed) : handedTo(view).find(({ number }) => number === handed.number);
  if (setAside.some(({ at }) => at.tick > (first ?? handed).at.tick)) return true;
  return isDuplicate(view, published, handed, Math.max(-1, ...setAside.map(({ at }) => at.tick)));
}

function isDuringCall({ at }: Handed, { startedAt, endedAt }: Call): boolean {
  return startedAt.tick < at.tick && (endedAt === undefined || at.tick < endedAt.tick);
}

/** An event with its id came before, since one was set aside. */
function isDuplicate(view: View, published: Published, handed: Handed, sinceTick: number): boolean {
  return handedTo(view).some(({ number, at }) => {
    const other = view.published(number);
    if (other === undefined || number === published.number) return false;
    if (at.tick <= sinceTick || at.tick >= handed.at.tick) return false;
    return other.id === published.id && other.source === published.source;
  });
}

/** It is the same as one that came to the source before, of which this subscription was owed nothing. */
function cameBefore(view: View, published: Published, handed: Handed): boolean {
  return handedTo(view).some(({ number, at }) => {
    const other = view.published(number);
    if (other === undefined || at.tick >= handed.at.tick) return false;
    const isSameEvent = other === published || (published.id !== undefined && other.id === published.id);
    return isSameEvent && other.source === published.source && isBefore(other.calledAt, view.sub.openedAt);
  });
}

function isSame(view: View, call: Call, { number, id, source }: Published): boolean {
  if (call.number === number) return true;
  const other = view.published(call.number);
  return id !== undefined && other !== undefined && other.id === id && other.source === source;
}

function isExpired({ trace }: View, published: Published): boolean {
  return published.calledAt.ms + published.ttlMs <= trace.restedAt.ms + 10_000;
}

/** An event that it wants to set aside has not been taken, since its publish was never answered: what comes behind it waits. */
function waitsForDeadLetter({ sub, trace, calls }: View): boolean {
  if (!trace.faults.has('publish:never')) return false;
  const said = new Set(sub.signals.flatMap(({ signal }) => (signal.kind === 'dead-lettered' ? [signal.eventId] : [])));
  const most = sub.plan.tries ?? 2;
  return calls.some(({ outcome, isFinal, attempt, eventId }) => {
    const isGivenUp = outcome === 'rejected' || (outcome === 'failed' && (isFinal || attempt >= most));
    return isGivenUp && !said.has(eventId);
  });
}

/** What was not handled since its time was over is counted, and said once for its publisher. */
export const expiryCounted: Rule = (view) => {
  const { sub, trace } = view;
  if (!isOpenAtRest(sub, trace) || isBlocked(view.calls, trace) || sub.crashedAt !== undefined) return [];
  if (waitsForDeadLetter(view)) return [];
  const slot = trace.slots.findLast((one) => one.slot === sub.slot);
  for (const handed of latest(handedTo(view))) {
    const published = view.published(handed.number);
    if (published === undefined || !isDuring(handed.at, sub) || !isFor(view, published)) continue;
    if (handed.isVoid || handed.settled === 'release' || published.id !== undefined) continue;
    if (view.familyCalls.some(({ number }) => number === handed.number) || overflow(view) > 0) continue;
    if (cameBefore(view, published, handed)) continue;
    const isSaid = slot?.signals.some(({ signal }) => signal.kind === 'expired' && signal.source === published.source);
    if (!isSaid || (slot?.dropped?.expired ?? 0) === 0) {
      return [
        `uncounted: event ${handed.number} came to ${nameOf(view)}, was not handled, and is not counted as expired`,
      ];
    }
  }
  return [];
};

/** Closing owes what the service had taken before: a subscription whose handler returns at once handles it. */
export const closeOwes: Rule = (view) => {
  const { sub, trace } = view;
  const { plan, closeCalledAt, openedAt } = sub;
  const isQuick =
    plan.acts === undefined || plan.acts.every((act) => act.act === 'return' && act.afterMs === undefined);
  if (!isQuick || plan.isRead || plan.group !== undefined || plan.durable !== undefined || sub.wasPaused) return [];
  if (
    closeCalledAt === undefined ||
    sub.crashedAt !== undefined ||
    (sub.firstDrainMs ?? 0) < 10 ||
    trace.faults.size > 0
  )
    return [];
  if (isBefore(trace.restedAt, closeCalledAt) || sub.isClosedWithin) return [];
  return trace.published.flatMap((published) => {
    const taken = published.taken[0];
    if (taken === undefined || !isFor(view, published) || !isAddressed(sub, published)) return [];
    if (!isBefore(openedAt, published.calledAt) || !isBefore(taken, closeCalledAt) || isExpired(view, published))
      return [];
    if (published.id !== undefined || published.kind !== 'event') return [];
    return view.calls.some(({ number }) => number === published.number)
      ? []
      : [
          `close-owes: the service had event ${published.number} before ${nameOf(view)} was closed, and it was not handled`,
        ];
  });
};

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
