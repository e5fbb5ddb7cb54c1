import { isFor, type Reading } from '../reading.ts';
import type { Promises } from '../record.ts';
import { isOwed } from './delivery.ts';
import type { Violation } from './violation.ts';

/** How much later than its time to live an event may be handled, ms: handlers are called on machines that are busy. */
const TOLERANCE_MS = 3_000;

/** Events handled after their time, and expired ones that were dropped without being counted. */
export function judgeLifetimes(reading: Reading, promises: Promises): readonly Violation[] {
  // Clocks that differ, and processes that stand still, have tolerances of their own.
  const isTimed = !reading.faults.some(({ kind }) => kind === 'clock' || kind.startsWith('freeze'));
  return [...(isTimed ? late(reading) : []), ...uncounted(reading, promises)];
}

function late(reading: Reading): readonly Violation[] {
  const wrong: Violation[] = [];
  for (const { n, at, sub, attempt } of reading.calls) {
    const copies = reading.byEvent.get(n) ?? [];
    if (attempt !== 1 || copies.length === 0 || copies.some(({ ttlMs }) => ttlMs === undefined)) continue;
    const overdueMs = Math.min(...copies.map((one) => at - one.at - (one.ttlMs ?? 0)));
    if (overdueMs < TOLERANCE_MS) continue;
    wrong.push({ kind: 'late', message: `${sub.id} handled ${n} ${Math.round(overdueMs)} ms after its time to live` });
  }
  return wrong;
}

/** Only where nothing else can have taken an event: without faults, in plain subscriptions. */
function uncounted(reading: Reading, promises: Promises): readonly Violation[] {
  if (!promises.countsExpired || reading.firstFaultAt < Number.POSITIVE_INFINITY) return [];
  const wrong: Violation[] = [];
  for (const life of reading.lives.values()) {
    if (life.dropped === undefined) continue;
    let expired = 0;
    for (const receiver of reading.receivers.values()) {
      const [sub] = receiver.subs;
      if (receiver.kind !== 'plain' || sub?.life !== life) continue;
      expired += reading.publications.filter(
        (one) =>
          one.ttlMs !== undefined &&
          isFor(sub, one) &&
          isOwed(reading, receiver, one, promises) &&
          !receiver.calls.has(one.n),
      ).length;
    }
    if (life.dropped.expired >= expired) continue;
    const message = `${life.id} counts ${life.dropped.expired} expired events, but ${expired} were dropped`;
    wrong.push({ kind: 'uncounted', message });
  }
  return wrong;
}
