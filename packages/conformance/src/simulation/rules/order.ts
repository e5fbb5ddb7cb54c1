import type { Call } from '../trace.ts';
import { handedTo, isBefore, isForGroups, isForInstance, nameOf, type Rule, type View } from './view.ts';

/** Events of one publisher to one address list are first handled in the order in which they were published. */
export const order: Rule = (view) => {
  const { sub, trace, profile } = view;
  if ((sub.plan.concurrency ?? 1) > 1 || view.family.length > 1 || view.part === 'group' || !keepsOrder(view))
    return [];
  return disorder(view, view.calls, (call) => {
    const published = view.published(call.number);
    // A question is sent once replies can be heard: no earlier than that.
    if (published?.kind !== 'event' || published.id !== undefined) return undefined;
    if (view.part === 'instance' && isForGroups(published)) return undefined;
    return `${published.source} ${lifeOf(view, published.slot, published.calledAt.tick)} to ${[...published.to].sort()}`;
  }).map((what) => `order: ${what}${profile.isLossy && trace.faults.size > 0 ? ' after a fault' : ''}`);
};

/** Events with one key are handled one after another, in order, at any concurrency and in a group. */
export const keyOrder: Rule = (view) => {
  if (!keepsOrder(view)) return [];
  const isGroup = view.part === 'group';
  // Once for the whole group.
  if (isGroup && view.family[0] !== view.sub) return [];
  if (isGroup && view.family.some(({ closeCalledAt }) => isBefore(closeCalledAt, view.trace.restedAt))) return [];
  return disorder(view, isGroup ? view.familyCalls : view.calls, (call) => {
    const published = view.published(call.number);
    if (published?.key === undefined || published.kind === 'forged' || published.id !== undefined) return undefined;
    // By both ways: once the group's, once the instance's.
    if (view.part !== 'whole' && (isGroup ? isInstances(view, call) : isForGroups(published))) return undefined;
    return `${published.source} ${lifeOf(view, published.slot, published.calledAt.tick)} key ${published.key} to ${[...published.to].sort()}`;
  }).map((what) => `key-order: ${what}`);
};

/** Two events of one key never run at once, as long as the locks are kept. */
export const keyOverlap: Rule = (view) => {
  const { trace, sub, family, profile } = view;
  if ((view.part === 'group' && family[0] !== sub) || !profile.renews) return [];
  if (
    ['lose-locks', 'cut'].some((fault) => trace.faults.has(fault)) ||
    [...trace.faults].some((fault) => fault.startsWith('renew'))
  )
    return [];
  const calls = view.part === 'group' ? view.familyCalls.filter((call) => !isInstances(view, call)) : view.calls;
  const running = new Map<string, Call>();
  const wrong: string[] = [];
  for (const call of calls) {
    const key = view.published(call.number)?.key;
    if (key === undefined) continue;
    const before = running.get(key);
    if (before !== undefined && isRunning(view, before, call)) {
      wrong.push(`key-overlap: event ${call.number} was handled while event ${before.number} of the same key was`);
    }
    if (before?.endedAt !== undefined || before === undefined) running.set(key, call);
  }
  return wrong;
};

/** While an event waits for its next try, no later one of its key (or, one at a time, of its lane) is handled. */
export const retryOrder: Rule = (view) => {
  const { sub, trace, family } = view;
  const isGroup = sub.plan.group !== undefined;
  if (!keepsOrder(view) || trace.faults.size > 0 || family.length > 1) return [];
  if (isBefore(sub.closeCalledAt, trace.restedAt)) return [];
  const isSerial = (sub.plan.concurrency ?? 1) === 1 && !isGroup;
  const failed = new Map<string, Call>();
  const wrong: string[] = [];
  for (const call of view.calls) {
    const published = view.published(call.number);
    if (published?.kind !== 'event' || published.id !== undefined) continue;
    if (published.key === undefined && !isSerial) continue;
    const lane = isSerial ? 'all' : `${published.source} ${published.key}`;
    const before = failed.get(lane);
    if (before !== undefined && before.number !== call.number && isTriedLater(view, before, call)) {
      wrong.push(`retry-order: event ${call.number} was handled while event ${before.number} waited for its next try`);
    }
    if (call.outcome === 'failed') failed.set(lane, call);
    // Released, it waits as its handler asked.
    else if (before?.number === call.number) failed.delete(lane);
  }
  return wrong;
};

function isInstances(view: View, { sub, number }: Call): boolean {
  const member = view.trace.subscriptions.get(sub);
  const published = view.published(number);
  return member !== undefined && published !== undefined && isForInstance(member, published);
}

function isTriedLater({ calls }: View, before: Call, call: Call): boolean {
  if (!isBefore(before.endedAt, call.startedAt)) return false;
  return calls.some(({ number, startedAt }) => number === before.number && startedAt.tick > call.startedAt.tick);
}

function isRunning({ trace }: View, before: Call, call: Call): boolean {
  if (before.endedAt !== undefined && !isBefore(call.startedAt, before.endedAt)) return false;
  // What its closed subscription left behind runs on alone.
  const closedAt = trace.subscriptions.get(before.sub)?.closeCalledAt;
  const crashedAt = trace.subscriptions.get(before.sub)?.crashedAt;
  return !isBefore(closedAt, call.startedAt) && !isBefore(crashedAt, call.startedAt);
}

/** Where a part of a batch was refused, or several batches may be under way, order is not promised. */
function keepsOrder({ trace, profile }: View): boolean {
  // What waits for its turn when its lock ends comes again behind others.
  if (!profile.renews) return false;
  return profile.name !== 'pipelined' && !trace.faults.has('publish:refuse-some') && !trace.faults.has('forgotten');
}

function disorder(view: View, calls: readonly Call[], laneOf: (call: Call) => string | undefined): readonly string[] {
  const last = new Map<string, number>();
  const seen = new Set<number>();
  const wrong: string[] = [];
  for (const call of calls) {
    const lane = laneOf(call);
    if (lane === undefined || seen.has(call.number)) continue;
    seen.add(call.number);
    const before = last.get(lane);
    if (before !== undefined && before > call.number && !wasMovedBack(view, call)) {
      wrong.push(`${nameOf(view)} handled event ${call.number} after event ${before} (${lane})`);
    }
    last.set(lane, Math.max(before ?? -1, call.number));
  }
  return wrong;
}

/** It was handed over before, and went back without having been seen. */
function wasMovedBack(view: View, call: Call): boolean {
  // Lost on its way at first, its copy came later.
  if (view.sources.some(({ lost }) => lost.some(({ number }) => number === call.number))) return true;
  return handedTo(view).filter(({ number }) => number === call.number).length > 1 && view.trace.faults.size > 0;
}

function lifeOf({ trace }: View, slot: number, tick: number): number {
  return trace.slots.filter((one) => one.slot === slot && (one.leftAt === undefined || one.leftAt.tick > tick)).length;
}
