import type { Call } from '../trace.ts';
import { handedTo, isBefore, isForGroups, isForInstance, nameOf, type Rule, type View } from './view.ts';

/** A handler gets an event at most as often as the subscription allows, plus what the user itself asked to come again. */
export const tries: Rule = (view) => {
  const most = view.sub.plan.tries ?? 2;
  const wrong: string[] = [];
  for (const [number, calls] of byEvent(view.familyCalls)) {
    const failures = calls.filter(({ outcome }) => outcome === 'failed').length;
    const gone = view.trace.sources.flatMap(({ handed }) =>
      handed.filter((one) => one.number === number && one.isVoid),
    );
    if (
      view.family[0] === view.sub &&
      failures > most * ways(view, number, calls) + gone.length &&
      view.family.every(({ plan }) => (plan.tries ?? 2) === most)
    ) {
      wrong.push(`tries: event ${number} failed ${failures} times where ${most} tries are allowed`);
    }
  }
  return wrong;
};

/** In how many ways it may have come: each is tried as often as allowed. */
function ways(view: View, number: number, calls: readonly Call[]): number {
  const published = view.published(number);
  if (published === undefined || view.part === 'whole') return 1;
  const byInstance = new Set(calls.filter((call) => isInstances(view, call)).map(({ sub }) => sub)).size;
  return Math.max(1, byInstance + (isForGroups(published) ? 1 : 0));
}

function isInstances(view: View, call: Call): boolean {
  const published = view.published(call.number);
  const member = view.trace.subscriptions.get(call.sub);
  return view.part !== 'whole' && published !== undefined && member !== undefined && isForInstance(member, published);
}

/** Attempts are numbered from 1, without holes where nothing went unseen; those of a group's members together. */
export const attempts: Rule = (view) => {
  const wrong: string[] = [];
  if (view.family[0] !== view.sub) return wrong;
  const disturbed = [...view.trace.faults].some(
    (fault) => !fault.startsWith('publish') && !fault.startsWith('subscribe'),
  );
  if (disturbed) return wrong;
  for (const [number, calls] of byEvent(view.familyCalls)) {
    const published = view.published(number);
    if (published === undefined || published.id !== undefined) continue;
    // With two ways there are two counts.
    if (isForGroups(published) && calls.some((call) => isInstances(view, call))) continue;
    if (isBefore(published.calledAt, view.sub.calledAt) && view.part === 'instance') continue;
    // What was sent again since its answer was lost is there twice, and each message is counted by itself.
    if (messagesOf(view, number).size > 1) continue;
    // What the service took back by itself it counts, whoever had seen it.
    if (view.trace.sources.some(({ handed }) => handed.some((one) => one.number === number && one.isVoid))) continue;
    calls.forEach((call, at) => {
      const before = calls[at - 1];
      if (before !== undefined && call.attempt <= before.attempt) {
        wrong.push(`attempts: event ${number} came as attempt ${call.attempt} after attempt ${before.attempt}`);
      } else if (call.attempt !== at + 1) {
        wrong.push(`attempts: call ${at + 1} for event ${number} was numbered ${call.attempt}`);
      }
    });
  }
  return wrong;
};

/** The service's messages that brought an event, where it keeps them. */
function messagesOf({ trace }: View, number: number): ReadonlySet<number | undefined> {
  const handed = trace.sources.flatMap((source) => source.handed.filter((one) => one.number === number));
  return new Set(handed.map(({ offset }) => offset));
}

/** What is said to be set aside was refused by its handler, or given to it as often as allowed. */
export const deadLettered: Rule = (view) => {
  const most = view.sub.plan.tries ?? 2;
  const wrong: string[] = [];
  for (const { signal, at } of view.sub.signals) {
    if (signal.kind !== 'dead-lettered') continue;
    const all = view.part === 'group' ? [...new Set([...view.familyCalls, ...view.calls])] : view.familyCalls;
    const calls = all.filter(({ eventId, startedAt }) => eventId === signal.eventId && startedAt.tick < at.tick);
    if (calls.some(({ outcome }) => outcome === 'rejected') || isBefore(view.sub.closeCalledAt, at)) continue;
    const isFinal = calls.some((call) => isFinalFailure(view, call));
    if (calls.length + unseen(view, calls) < most && !isFinal) {
      wrong.push(
        `false-dead-letter: event ${calls[0]?.number ?? signal.eventId} was set aside after ${calls.length} of ${most} tries`,
      );
    }
    if (
      calls.every(({ number }) => number === calls[0]?.number) &&
      calls.some(
        (call) =>
          call.outcome === 'accepted' &&
          isBefore(call.endedAt, at) &&
          (call.sub === view.sub.plan.sub || !isInstances(view, call)),
      ) &&
      handedOnce(view, calls)
    ) {
      wrong.push(`false-dead-letter: event ${calls[0]?.number} was accepted, and then set aside`);
    }
    if (signal.kept !== undefined && !calls.some(({ number }) => isKept(view, number))) {
      wrong.push(`false-dead-letter: event ${calls[0]?.number} is said to be kept, and is not`);
    }
  }
  return wrong;
};

/** What a member set aside it is not given again by the other way that it came. */
export const givenUp: Rule = (view) => {
  const { sub } = view;
  if (view.part !== 'group') return [];
  return view.calls.flatMap((call) => {
    const published = view.published(call.number);
    if (published?.kind !== 'event' || published.id !== undefined || !isInstances(view, call)) return [];
    const isSetAside = sub.signals.some(
      ({ signal, at }) =>
        signal.kind === 'dead-lettered' && signal.eventId === call.eventId && isBefore(at, call.startedAt),
    );
    return isSetAside ? [`given-up: ${nameOf(view)} was given event ${call.number} again after it was set aside`] : [];
  });
};

/** Deliveries that no handler saw, and that the service counts: given back, or taken from us. */
function unseen({ trace }: View, calls: readonly Call[]): number {
  const number = calls[0]?.number;
  const handed = trace.sources.flatMap((source) => source.handed.filter((one) => one.number === number));
  return handed.filter(({ isVoid, settled }) => isVoid || settled === 'release').length;
}

function isKept({ trace }: View, number: number | undefined): boolean {
  return number === undefined || trace.deadLetters.some((one) => one.number === number);
}

function isFinalFailure(_view: View, call: Call): boolean {
  return call.outcome === 'failed' && call.isFinal;
}

function handedOnce(view: View, calls: readonly Call[]): boolean {
  const number = calls[0]?.number;
  const all = view.trace.sources.flatMap(({ handed }) => handed.filter((one) => one.number === number));
  return view.family.length > 1 ? all.length === 1 : handedTo(view).filter((one) => one.number === number).length === 1;
}

function byEvent(calls: readonly Call[]): ReadonlyMap<number, readonly Call[]> {
  const all = new Map<number, Call[]>();
  for (const call of calls) {
    const list = all.get(call.number);
    if (list === undefined) all.set(call.number, [call]);
    else list.push(call);
  }
  return all;
}

/** The buffer holds what it may, and no more. */
export const bounded: Rule = (view) => {
  const { plan, maxPending } = view.sub;
  const most = (plan.bufferSize ?? 100) + (plan.concurrency ?? 1);
  return maxPending > most ? [`buffer: ${nameOf(view)} held ${maxPending} deliveries, ${most} are allowed`] : [];
};

/** What fails again and again waits in between: each try may be billed. */
export const patient: Rule = (view) => {
  const failures = view.sub.signals.filter(({ signal }) => signal.kind === 'failed' && signal.what === 'settle');
  for (let at = MAX_FAILURES_AT_ONCE; at < failures.length; at++) {
    const sinceMs = (failures[at]?.at.ms ?? 0) - (failures[at - MAX_FAILURES_AT_ONCE]?.at.ms ?? 0);
    if (sinceMs < 100)
      return [`hot: ${nameOf(view)} failed to settle ${MAX_FAILURES_AT_ONCE} times within ${sinceMs} ms`];
  }
  return [];
};

const MAX_FAILURES_AT_ONCE = 25;
