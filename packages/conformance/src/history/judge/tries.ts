import { type Call, isForGroup, type Reading, type Receiver } from '../reading.ts';
import type { Promises } from '../record.ts';
import { nameOf } from './delivery.ts';
import type { Violation } from './violation.ts';

/** Handlers that accepted an event and were given it again, and how often each event was tried. */
export function judgeTries(reading: Reading, promises: Promises): readonly Violation[] {
  const wrong: Violation[] = [];
  for (const receiver of reading.receivers.values()) {
    for (const [n, calls] of receiver.calls) {
      wrong.push(...duplicates(reading, receiver, n, calls, promises), ...tries(reading, receiver, n, calls));
    }
    wrong.push(...deadLetters(reading, receiver));
  }
  return wrong;
}

function duplicates(
  reading: Reading,
  receiver: Receiver,
  n: number,
  calls: readonly Call[],
  promises: Promises,
): readonly Violation[] {
  const copies = reading.byEvent.get(n)?.length ?? 1;
  const accepted: Call[] = [];
  const wrong: Violation[] = [];
  for (const call of calls) {
    const before = accepted.filter(({ doneAt, sub }) => doneAt < call.at && doneAt < sub.endAt);
    if (before.length > 0) {
      const sameOne = before.some((one) => isOne(one, call));
      const isWrong = sameOne ? promises.dedupe || copies === 1 : copies === 1 && reading.firstFaultAt > call.at;
      if (isWrong) {
        const where = sameOne ? 'the same subscription' : `${before[0]!.sub.id}, without any fault`;
        wrong.push({
          kind: 'duplicated',
          message: `${nameOf(receiver)} got ${n} again (${call.sub.id}) after it was accepted by ${where}`,
        });
      }
    }
    if (call.outcome === 'accepted') accepted.push(call);
  }
  return wrong;
}

/** Was the later call made by the very subscription that the earlier one was? */
function isOne(earlier: Call, later: Call): boolean {
  return earlier.sub === later.sub && !later.sub.failedAt.some((at) => earlier.at < at && at < later.at);
}

function tries(reading: Reading, receiver: Receiver, n: number, calls: readonly Call[]): readonly Violation[] {
  const wrong: Violation[] = [];
  const copies = reading.byEvent.get(n)?.length ?? 1;
  const name = `${nameOf(receiver)}, event ${n}`;
  const { tries: allowed } = receiver.subs[0]!;
  // A member that an event reaches by two ways tries each: what it failed at for the group another may try meanwhile.
  const isTwofold = comesTwice(reading, receiver, n);
  const failed = calls.filter(({ outcome }) => outcome !== 'released');
  if (failed.length > allowed * copies * (isTwofold ? 2 : 1) && reading.firstFaultAt > failed.at(-1)!.at) {
    wrong.push({ kind: 'tries', message: `${name} was tried ${failed.length} times, with ${allowed} tries` });
  }
  if (isTwofold) return wrong;
  calls.forEach((call, index) => {
    if (call.attempt < 1 || call.attempt > index + 1 + endsBefore(reading, receiver, call)) {
      const what = `call ${index + 1} says attempt ${call.attempt}`;
      wrong.push({ kind: 'attempts', message: `${name}: ${what}` });
    } else if (
      copies === 1 &&
      call.attempt !== index + 1 &&
      reading.firstFaultAt > call.at &&
      isAlone(receiver, call)
    ) {
      wrong.push({
        kind: 'attempts',
        message: `${name}: call ${index + 1} says attempt ${call.attempt}, without any fault`,
      });
    }
  });
  return wrong;
}

function comesTwice(reading: Reading, { kind, subs, besides }: Receiver, n: number): boolean {
  if (kind === 'group') return besides.has(n);
  const published = reading.byEvent.get(n)?.[0];
  return kind === 'instance' && published !== undefined && isForGroup(subs[0]!, published);
}

/** Faults with which what the service hands to somebody can get lost on its way. */
const OF_CONNECTIONS = new Set(['cut', 'cut-one', 'cut-all', 'swallow', 'kill-service', 'restart-service', 'demote']);

/**
 * Processes that ended, and subscriptions that closed, before: each may have been given the event without getting to say so. What
 * was lost on its way to one member of a group another takes over, and cannot know that no handler had it.
 */
function endsBefore(reading: Reading, receiver: Receiver, call: Call): number {
  const closed = receiver.subs.filter((sub) => sub.endAt < call.at).length;
  const hasOthers = receiver.kind === 'group' && receiver.subs.some((sub) => sub !== call.sub && sub.openAt < call.at);
  const lost = reading.faults.filter(
    ({ kind, at }) => at < call.at && (kind.startsWith('freeze') || (hasOthers && OF_CONNECTIONS.has(kind))),
  );
  return closed + lost.length;
}

/** Did nobody else of the receiver come or go meanwhile? */
function isAlone(receiver: Receiver, call: Call): boolean {
  return receiver.subs.every((sub) => sub.endAt > call.at);
}

/** Set aside without having been rejected or having failed so often as was allowed. */
function deadLetters(reading: Reading, receiver: Receiver): readonly Violation[] {
  const wrong: Violation[] = [];
  for (const sub of receiver.subs) {
    for (const { at, signal } of sub.signals) {
      // What a subscription that closes cannot give back goes to the dead letters.
      if (signal.kind !== 'dead-lettered' || at >= sub.endAt) continue;
      const n = reading.eventOf(signal.eventId);
      const published = n === undefined ? undefined : reading.byEvent.get(n)?.[0];
      // What reaches it by two ways is looked at once.
      if (published !== undefined && receiver.kind === 'instance' && isForGroup(sub, published)) continue;
      if (published !== undefined && receiver.kind === 'group' && !isForGroup(sub, published)) continue;
      // What is not known is looked at with the group.
      if (published === undefined && receiver.kind === 'instance') continue;
      const all = n === undefined ? [] : [...(receiver.calls.get(n) ?? []), ...(receiver.besides.get(n) ?? [])];
      const calls = all.filter((call) => call.at < at).sort((one, other) => one.at - other.at);
      const spared = calls.length > 0 ? endsBefore(reading, receiver, calls.at(-1)!) : receiver.subs.length;
      if (calls.some(({ outcome }) => outcome === 'rejected') || calls.length + spared >= sub.tries) continue;
      wrong.push({
        kind: 'tries',
        message: `${nameOf(receiver)}: ${n === undefined ? `an event (${signal.eventId})` : `event ${n}`} was dead-lettered after ${calls.length} of ${sub.tries} tries`,
      });
    }
  }
  return wrong;
}
