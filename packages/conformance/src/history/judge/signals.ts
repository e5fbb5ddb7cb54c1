import { isFor, type Reading, type Sub } from '../reading.ts';
import type { Promises } from '../record.ts';
import type { Violation } from './violation.ts';

/** Announcements of what did not happen. */
export function judgeSignals(reading: Reading, promises: Promises): readonly Violation[] {
  return [
    ...[...reading.subs.values()].flatMap((sub) => gaps(reading, sub)),
    ...connections(reading, promises),
    ...expiries(reading),
  ].map((message) => ({ kind: 'false-signal', message }));
}

/** A gap with a count is exact: not more than was published and did not come. Without a count it needs a fault. */
function gaps(reading: Reading, sub: Sub): readonly string[] {
  const wrong: string[] = [];
  const bySource = new Map<string, number>();
  for (const { at, signal } of sub.signals) {
    if (signal.kind !== 'gap') continue;
    if (signal.count === undefined || signal.source === undefined) {
      if (reading.firstFaultAt > at) wrong.push(`${sub.id}: a gap (${signal.reason}), but nothing had gone wrong`);
    } else bySource.set(signal.source, (bySource.get(signal.source) ?? 0) + signal.count);
  }
  for (const [source, count] of bySource) {
    const missing = missingFrom(reading, sub, source);
    if (count > missing) wrong.push(`${sub.id}: gaps say that ${count} of ${source} are missing; ${missing} are`);
  }
  return wrong;
}

/** What a source may have sent the subscription, resolved or not, and it did not handle. With a filter, nobody knows what was for it. */
function missingFrom(reading: Reading, sub: Sub, source: string): number {
  const handled = new Set(reading.calls.filter((call) => call.sub === sub).map(({ n }) => n));
  return reading.publications.filter(
    (one) => one.by.source === source && isFor(sub, one) && one.doneAt > sub.at && !handled.has(one.n),
  ).length;
}

function connections(reading: Reading, promises: Promises): readonly string[] {
  const wrong: string[] = [];
  for (const life of reading.lives.values()) {
    const calm = reading.firstFaultAt;
    for (const { at, signal } of life.signals) {
      switch (signal.kind) {
        case 'reconnected': {
          if (signal.mayHaveLost !== true) break;
          if (calm > at) wrong.push(`${life.id}: reconnected, may have lost; nothing had gone wrong`);
          else if (promises.atLeastOnce && !reading.faults.some((one) => one.seemsToLose && one.at < at)) {
            wrong.push(`${life.id}: reconnected, may have lost; but nothing that was kept could get lost`);
          }
          break;
        }
        case 'disconnected':
          if (calm > at && life.endAt > at) wrong.push(`${life.id}: disconnected, but nothing had gone wrong`);
          break;
        case 'corrupt':
          wrong.push(`${life.id}: corrupt (${signal.message}), but every event was well-formed`);
          break;
        case 'duplicate-instance':
          if (calm > at) wrong.push(`${life.id}: a duplicate instance, but there was only one`);
          break;
      }
    }
  }
  return wrong;
}

/** More expired than could have. */
function expiries(reading: Reading): readonly string[] {
  const wrong: string[] = [];
  for (const life of reading.lives.values()) {
    const subs = [...reading.subs.values()].filter((sub) => sub.life === life);
    const brief = reading.publications.filter(({ ttlMs }) => ttlMs !== undefined);
    const bound = subs.reduce((sum, sub) => sum + brief.filter((one) => isFor(sub, one)).length, 0);
    const told = life.signals.filter(({ signal }) => signal.kind === 'expired');
    const said = Math.max(life.dropped?.expired ?? 0, ...told.map(({ signal }) => signal.count ?? 1), 0);
    if (bound === 0 && said > 0) wrong.push(`${life.id}: ${said} events expired, but none could have`);
  }
  return wrong;
}
