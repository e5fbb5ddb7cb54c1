import { type Call, isForGroup, type Publication, type Reading, type Receiver } from '../reading.ts';
import type { Promises } from '../record.ts';
import { nameOf } from './delivery.ts';
import type { Violation } from './violation.ts';

/** How long after the end of a fault its consequences may still show, ms: a lock that was lost, a member that took over. */
const AFTERMATH_MS = 10_000;

/** Out of order: the first call with an event comes after that with a later one of the same publisher and addresses. */
export function judgeOrder(reading: Reading, promises: Promises): readonly Violation[] {
  return [...reading.receivers.values()].flatMap((receiver) => disorder(reading, receiver, promises));
}

function disorder(reading: Reading, receiver: Receiver, promises: Promises): readonly Violation[] {
  const wrong: Violation[] = [];
  const latest = new Map<string, Publication>();
  const isSerial = receiver.kind !== 'group' && receiver.subs.every(({ concurrency }) => concurrency === 1);
  for (const [n, call] of firstCalls(receiver)) {
    const publication = onlyCopy(reading, n);
    if (publication === undefined || isTorn(reading, receiver, publication, call)) continue;
    // What comes by two ways has the order of neither.
    if (receiver.kind === 'instance' && isForGroup(call.sub, publication)) continue;
    const { by, to, key } = publication;
    const byKey = promises.partitionKey && key !== undefined ? `key ${key}` : undefined;
    const lanes = isSerial && promises.order ? ['all'] : byKey === undefined ? [] : [byKey];
    for (const lane of lanes) {
      const name = `${by.id} → ${to.join()} ${lane}`;
      const before = latest.get(name);
      if (before === undefined || before.place < publication.place) latest.set(name, publication);
      else wrong.push({ kind: 'reordered', message: `${nameOf(receiver)} got ${n} after ${before.n} (${name})` });
    }
  }
  return wrong;
}

/**
 * The service keeps the order of a group by what it still has: an event that it dropped while a member had it, or from one of several
 * places in which it stood, holds up nothing that comes behind it. And what it dropped before it could answer is published again,
 * behind what it still had of the same batch.
 */
function isTorn(reading: Reading, { kind }: Receiver, { at, doneAt }: Publication, call: Call): boolean {
  const untilAt = kind === 'group' ? call.at : doneAt;
  return reading.faults.some((fault) => fault.loses && fault.healedAt > at && fault.at < untilAt);
}

/** Members of a group handle events of one key one after the other; so does one subscription with several handlers at once. */
export function judgeExclusion(reading: Reading, promises: Promises): readonly Violation[] {
  if (!promises.partitionKey) return [];
  return [...reading.receivers.values()].flatMap((receiver) => {
    const lanes = new Map<string, Call[]>();
    for (const call of [...receiver.calls.values()].flat()) {
      const publication = onlyCopy(reading, call.n);
      if (publication?.key === undefined) continue;
      const name = `${publication.to.join()} key ${publication.key}`;
      lanes.set(name, [...(lanes.get(name) ?? []), call]);
    }
    return [...lanes].flatMap(([name, calls]) => overlaps(reading, receiver, name, calls));
  });
}

function overlaps(reading: Reading, receiver: Receiver, lane: string, calls: readonly Call[]): readonly Violation[] {
  const wrong: Violation[] = [];
  let longest: Call | undefined;
  for (const call of [...calls].sort((one, other) => one.at - other.at)) {
    if (longest !== undefined && call.at < endOf(longest) && !mayOverlap(reading, longest, call)) {
      const who = `${longest.sub.life.instance} and ${call.sub.life.instance}`;
      wrong.push({
        kind: 'overlapped',
        message: `${nameOf(receiver)} handled ${call.n} while ${longest.n} ran (${lane}, ${who})`,
      });
    }
    if (longest === undefined || endOf(call) > endOf(longest)) longest = call;
  }
  return wrong;
}

function endOf({ sub, doneAt }: Call): number {
  return Math.min(doneAt, sub.crashed ? sub.endAt : Number.POSITIVE_INFINITY);
}

/** A lock may be lost with its connection, with its process, or when its subscription closes without waiting any longer. */
function mayOverlap(reading: Reading, first: Call, second: Call): boolean {
  if (first.outcome === 'abandoned' || second.at > first.sub.endAt) return true;
  if (first.sub === second.sub) return false;
  return (
    reading.faults.some(({ at, healedAt }) => at < second.at && healedAt + AFTERMATH_MS > first.at) ||
    reading.crashes.some(({ at }) => at < second.at && at + AFTERMATH_MS > first.at)
  );
}

function firstCalls(receiver: Receiver): readonly (readonly [number, Call])[] {
  return [...receiver.calls]
    .map(([n, calls]) => [n, calls[0]!] as const)
    .sort(([, one], [, other]) => one.at - other.at);
}

/** Undefined for what was published again, or refused: such an event has no place of its own. */
function onlyCopy(reading: Reading, n: number): Publication | undefined {
  const copies = reading.byEvent.get(n);
  return copies?.length === 1 && copies[0]!.resolved ? copies[0] : undefined;
}
