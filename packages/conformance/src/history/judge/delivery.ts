import {
  type Fault,
  isForIn,
  leavesOut,
  type Publication,
  type Reading,
  type Receiver,
  type Sub,
  signalsOf,
} from '../reading.ts';
import type { Promises } from '../record.ts';
import type { Violation } from './violation.ts';

/** Participants close with `drainMs: 2_000`. */
const PATIENCE_MS = 1_900;

/** An event that a receiver was owed and did not get. */
export interface Loss {
  readonly receiver: Receiver;
  readonly publication: Publication;
  readonly announced: boolean;
}

/** What was owed and did not come, announced or not. */
export function lossesOf(reading: Reading, promises: Promises): readonly Loss[] {
  return [...reading.receivers.values()].flatMap((receiver) => {
    const missing = reading.publications.filter(
      (one) => isOwed(reading, receiver, one, promises) && !isSatisfied(reading, receiver, one),
    );
    return missing.length === 0 ? [] : announce(reading, receiver, missing, promises);
  });
}

export function judgeDelivery(reading: Reading, losses: readonly Loss[], promises: Promises): readonly Violation[] {
  const wrong: Violation[] = reading.publications
    .filter(({ doneAt, resolved, code }) => !resolved && isVerdict(code) && doneAt < reading.firstFaultAt)
    // A broadcaster that closes refuses what has no answer yet.
    .filter(({ doneAt, by, code }) => code !== 'closed' || doneAt < by.endAt)
    .map(({ n, by, code }) => ({ kind: 'refused', message: `event ${n} of ${by.id} was refused: ${code}` }));
  for (const { at, life, code, message } of reading.barred) {
    if (isVerdict(code) && at < reading.firstFaultAt)
      wrong.push({ kind: 'refused', message: `${life} was refused: ${code} ${message}` });
  }
  for (const sub of reading.subs.values()) {
    const isWanted = sub.at < reading.settledAt && reading.settledAt < sub.endAt;
    if (isWanted && Number.isFinite(reading.settledAt) && sub.openAt > reading.settledAt)
      wrong.push({
        kind: 'refused',
        message: `${sub.id} of ${sub.life.id} could not be opened, though all was well again`,
      });
  }
  for (const { receiver, publication, announced } of losses) {
    const event = `event ${publication.n} of ${publication.by.id} to ${publication.to.join()}`;
    if (!announced) wrong.push({ kind: 'unannounced', message: `${nameOf(receiver)} never got ${event}` });
    else if (promises.atLeastOnce && !reading.faults.some(({ loses }) => loses)) {
      wrong.push({ kind: 'lost', message: `${nameOf(receiver)} never got ${event}, announced, but nothing took it` });
    }
  }
  return wrong;
}

/** Not what a busy machine does to a connection. */
function isVerdict(code: string | undefined): boolean {
  return code !== undefined && !['timeout', 'unreachable', 'disconnected', 'overloaded', 'throttled'].includes(code);
}

export function nameOf(receiver: Receiver): string {
  const [first] = receiver.subs;
  return receiver.kind === 'plain' && first !== undefined
    ? `plain ${receiver.id} of ${first.life.instance}`
    : receiver.id;
}

/** Was the receiver there when the publish resolved, so that the event is its own? */
export function isOwed(reading: Reading, receiver: Receiver, publication: Publication, promises: Promises): boolean {
  // What resolved only when all had had its time may be on its way.
  if (!publication.resolved || publication.doneAt > reading.settledAt) return false;
  const entitled = receiver.subs.filter((sub) => isForIn(receiver, sub, publication));
  switch (receiver.kind) {
    // What is for its instance a member of a group is owed as a plain subscription is.
    case 'plain':
    case 'instance': {
      const [sub] = entitled;
      if (sub === undefined || sub.openAt >= publication.at) return false;
      if (promises.sharesPlain && isRepetition(reading, sub, publication)) return false;
      if (isOpenInTheEnd(reading, sub.endAt)) return true;
      // It owes that the handler is given the event: not that it is tried again.
      if (receiver.calls.has(publication.n)) return false;
      return promises.closeDelivers && publication.doneAt < sub.endAt && closedInPeace(reading, sub);
    }
    case 'durable': {
      const openAt = Math.min(...entitled.map((sub) => sub.openAt));
      // Only who is there in the end can show what it was kept.
      return (
        openAt < publication.at && entitled.some((sub) => sub.openAt < Infinity && isOpenInTheEnd(reading, sub.endAt))
      );
    }
    case 'group':
      return entitled.some((sub) => sub.openAt < publication.at) && isCovered(reading, entitled, publication.at);
  }
}

/**
 * Where the service settles nothing, the plain subscriptions of a broadcaster share what comes, and the memory of its ids: what came
 * before one of them joined is a duplicate when it is published again, whatever became of it: handled, or left out by a filter.
 */
function isRepetition(reading: Reading, sub: Sub, publication: Publication): boolean {
  const { n, copy } = publication;
  const before = (reading.byEvent.get(n) ?? []).filter((one) => one.copy !== copy && one.at < sub.openAt);
  if (before.length === 0) return false;
  const older = [...reading.subs.values()].filter(({ life, openAt }) => life === sub.life && openAt < sub.openAt);
  return (
    reading.calls.some((call) => call.n === n && older.includes(call.sub)) ||
    older.some(
      (other) =>
        other.kind === 'plain' &&
        leavesOut(other, publication) &&
        before.some(({ at, doneAt }) => doneAt > other.openAt && at < other.endAt),
    )
  );
}

/** While a history goes on, its end is not known: Infinity. */
function isOpenInTheEnd({ settledAt }: Reading, endAt: number): boolean {
  return endAt === Number.POSITIVE_INFINITY || endAt > settledAt;
}

/** Nothing kept `close` from delivering what was there: neither a fault nor the end of its patience (`drainMs`). */
function closedInPeace(reading: Reading, sub: Sub): boolean {
  const closedAt = Math.min(sub.closedAt, sub.life.leftAt);
  if (closedAt - sub.endAt > PATIENCE_MS) return false;
  return !sub.crashed && !sub.everPaused && reading.firstFaultAt > Math.min(sub.closedAt, sub.life.leftAt);
}

/** Was there a member at each moment from then on? A group goes with its last member. */
function isCovered(reading: Reading, members: readonly Sub[], from: number): boolean {
  for (let at = from; ; ) {
    const until = Math.max(...members.filter((sub) => sub.openAt <= at && sub.endAt > at).map((sub) => sub.endAt), at);
    if (isOpenInTheEnd(reading, until)) return true;
    if (until === at) return false;
    at = until;
    // The last moment of one is not that of the next.
    if (!members.some((sub) => sub.openAt < at && sub.endAt > at)) return false;
  }
}

function isSatisfied(reading: Reading, receiver: Receiver, publication: Publication): boolean {
  if (publication.ttlMs !== undefined) return true;
  const { n } = publication;
  const calls = [...(receiver.calls.get(n) ?? []), ...(receiver.besides.get(n) ?? [])];
  if (calls.some(({ outcome }) => outcome === 'accepted')) return true;
  if (isDeadLettered(reading, receiver, publication)) return true;
  // Its process ended before it could say what became of the event: it may have been set aside already.
  return calls.some(
    ({ outcome, sub, attempt }) =>
      (outcome === 'rejected' || (outcome === 'failed' && attempt >= sub.tries)) &&
      (sub.crashed || sub.closedAt < Infinity),
  );
}

function isDeadLettered(reading: Reading, receiver: Receiver, { n, at }: Publication): boolean {
  const lives = new Set(receiver.subs.map(({ life }) => life));
  return [...receiver.subs, ...lives].some(({ signals }) =>
    signals.some(
      (one) => one.at > at && one.signal.kind === 'dead-lettered' && reading.eventOf(one.signal.eventId) === n,
    ),
  );
}

/** Divides what is missing into what was said to be missing and what was not. */
function announce(
  reading: Reading,
  receiver: Receiver,
  missing: readonly Publication[],
  promises: Promises,
): readonly Loss[] {
  const signals = receiver.subs.flatMap(signalsOf);
  /** Gaps with a count, which announce so many of a source, each once. */
  const counted = new Map<string, { readonly at: number; left: number }[]>();
  for (const { at, signal } of signals) {
    if (signal.kind !== 'gap' || signal.count === undefined) continue;
    const source = signal.source ?? '';
    counted.set(source, [...(counted.get(source) ?? []), { at, left: signal.count }]);
  }
  return missing.map((publication) => {
    const covered = signals.some(
      ({ at, signal }) =>
        at > publication.at &&
        ((signal.kind === 'reconnected' && signal.mayHaveLost === true) ||
          (signal.kind === 'gap' &&
            signal.count === undefined &&
            (signal.source === undefined || signal.source === publication.by.source))),
    );
    if (covered || isExcused(reading, receiver, publication, promises))
      return { receiver, publication, announced: true };
    for (const source of [publication.by.source, '']) {
      const gap = counted.get(source)?.find(({ at, left }) => at > publication.at && left > 0);
      if (gap === undefined) continue;
      gap.left--;
      return { receiver, publication, announced: true };
    }
    return { receiver, publication, announced: false };
  });
}

/** Nobody can say it: what knew of the loss is lost, too. */
function isExcused(reading: Reading, receiver: Receiver, lost: Publication, { atLeastOnce }: Promises): boolean {
  if (atLeastOnce) {
    return reading.faults.some((fault) =>
      fault.forgets
        ? isForgotten(reading, receiver, lost, fault) || isUntraced(reading, receiver, lost, fault)
        : fault.kind === 'demote' && isUnseen(reading, receiver, lost, fault),
    );
  }
  // Where nothing is kept, a loss shows at the latest with the publisher's next event; and there was none.
  const isFollowed = (sinceMs: number) =>
    reading.publications.some(
      (one) => one.by === lost.by && one.at > sinceMs && one.resolved && one.to.join() === lost.to.join(),
    );
  if (!isFollowed(lost.at)) return true;
  const noticedAt = demotionNoticedAt(reading, lost);
  return noticedAt !== undefined && (!isFollowed(noticedAt) || !hasBegun(reading, receiver, lost));
}

/**
 * Had the receiver handled an earlier event of the same publisher and address list? Only the next event reveals what a demoted server
 * took, and for a receiver the sequence of a list begins with the first event that arrives, whatever its number. The plain subscriptions of
 * a broadcaster share one sequence.
 */
function hasBegun({ calls, byEvent }: Reading, { subs }: Receiver, lost: Publication): boolean {
  const lives = new Set(subs.map(({ life }) => life));
  const isOfList = (n: number) =>
    byEvent.get(n)?.some((one) => one.by === lost.by && one.place < lost.place && one.to.join() === lost.to.join());
  return calls.some(({ sub, n }) => lives.has(sub.life) && isOfList(n));
}

/**
 * A demoted server takes what is published and passes it on to none, until its publisher has asked it for its role: the next event is
 * lost with the first, and it is the publisher that is told (decision 18). Who ends before it asks cannot know.
 */
function demotionNoticedAt({ faults }: Reading, { by, doneAt }: Publication): number | undefined {
  const demotions = faults.filter(({ kind, at }) => kind === 'demote' && at < doneAt);
  if (demotions.length === 0) return undefined;
  const told = by.signals.find(
    ({ at, signal }) => at > doneAt && signal.kind === 'reconnected' && signal.mayHaveLost === true,
  );
  if (told !== undefined) return told.at;
  const latestMs = Math.max(...demotions.map(({ healedAt }) => healedAt));
  return by.endAt < latestMs + NOTICED_WITHIN_MS ? by.endAt : undefined;
}

/** After so long whoever listens has noticed that the service lost what it kept, ms; unless something else goes wrong. */
const NOTICED_WITHIN_MS = 3_000;

/**
 * The service forgot a durable subscription, or a group, of which nobody was there to notice. To whoever comes next it is a
 * new one, and until then nothing was kept for it.
 */
function isForgotten(reading: Reading, { kind, subs }: Receiver, lost: Publication, fault: Fault): boolean {
  if (kind === 'plain' || kind === 'instance') return false;
  const isNoticed = subs.some(({ openAt, endAt, crashed }) => {
    if (openAt > fault.at || endAt <= fault.at) return false;
    const isTroubled = reading.faults.some(
      ({ id, at, healedAt }) => id !== fault.id && at < endAt && healedAt > fault.at,
    );
    return endAt > fault.healedAt + NOTICED_WITHIN_MS || !(crashed || isTroubled);
  });
  return !isNoticed && lost.at < Math.min(...subs.map(({ openAt }) => openAt).filter((openAt) => openAt > fault.at));
}

/**
 * What a demoted server took last is lost, and of a durable subscription nobody may be there. Whoever notices the takeover leaves word of
 * it; but a server that is restarted forgets that it took over, and participants that have ended notice nothing.
 */
function isUnseen(reading: Reading, receiver: Receiver, lost: Publication, demotion: Fault): boolean {
  if (lost.at > demotion.healedAt || lost.doneAt < demotion.at) return false;
  const isOpen = receiver.subs.some(({ openAt, endAt }) => openAt <= demotion.healedAt && endAt > demotion.at);
  if (isOpen) return false;
  const restarts = reading.faults.filter(({ kind, at }) => RESTARTS.has(kind) && at > demotion.at);
  const untilMs = Math.min(demotion.healedAt + NOTICED_WITHIN_MS, ...restarts.map(({ at }) => at));
  const lives = [...reading.lives.values()];
  const isNoticed = lives.some(({ signals }) =>
    signals.some(
      ({ at, signal }) =>
        at > demotion.at && at <= untilMs && signal.kind === 'reconnected' && signal.mayHaveLost === true,
    ),
  );
  // Who was there all the while should have noticed.
  const isWatched = restarts.every(({ at }) => at > untilMs) && lives.some(({ endAt }) => endAt > untilMs);
  return !isNoticed && !isWatched;
}

const RESTARTS: ReadonlySet<string> = new Set(['kill-service', 'restart-service']);

/**
 * A plain subscription leaves nothing on the service. What was published and forgotten while it was cut off has left no trace if
 * the stream was empty before: nothing tells the new one from the old. Nor does anything if by chance as many events were trimmed
 * from the new one as had been read from the old.
 */
function isUntraced(reading: Reading, { kind, subs, calls }: Receiver, lost: Publication, fault: Fault): boolean {
  const trims = reading.faults.filter(({ loses, forgets, at }) => loses && !forgets && at > fault.at);
  const untilAt = Math.max(fault.healedAt, ...trims.map(({ healedAt }) => healedAt));
  if ((kind !== 'plain' && kind !== 'instance') || lost.at > untilAt) return false;
  const before = Math.max(
    subs[0]?.openAt ?? 0,
    ...reading.faults.filter(({ forgets, at }) => forgets && at < lost.at).map(({ at }) => at),
  );
  const wasCutOff = reading.faults.some(
    ({ id, at, healedAt }) => id !== fault.id && at < fault.at && healedAt + NOTICED_WITHIN_MS > lost.at,
  );
  if (!wasCutOff) return false;
  const hasRead = [...calls.values()].flat().some((call) => {
    const [first] = reading.byEvent.get(call.n) ?? [];
    return call.at > before && call.at < fault.at && first?.to.join() === lost.to.join();
  });
  return trims.length > 0 || !hasRead;
}
