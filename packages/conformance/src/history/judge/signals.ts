import { isFor, type Publication, type Reading, type Sub } from '../reading.ts';
import type { Promises } from '../record.ts';
import type { Violation } from './violation.ts';

/** How long before a signal somebody may have looked, ms. */
const LOOKED_WITHIN_MS = 1_000;

/** Announcements of what did not happen. */
export function judgeSignals(reading: Reading, promises: Promises): readonly Violation[] {
  return [
    ...[...reading.subs.values()].flatMap((sub) => gaps(reading, sub, promises)),
    ...connections(reading, promises),
    ...expiries(reading),
  ].map((message) => ({ kind: 'false-signal', message }));
}

/**
 * A gap with a count is exact: not more than was published and did not come. Without a count it needs a fault; and what was kept
 * can only have been removed where the service has lost something.
 */
function gaps(reading: Reading, sub: Sub, { atLeastOnce }: Promises): readonly string[] {
  const wrong: string[] = [];
  const bySource = new Map<string | undefined, number>();
  for (const { at, signal } of sub.signals) {
    if (signal.kind !== 'gap') continue;
    if (signal.count === undefined) {
      const isOfService = atLeastOnce && signal.reason === 'trimmed';
      const mayBe = isOfService ? losesBefore(reading, at) : reading.firstFaultAt < at;
      if (!mayBe) wrong.push(`${sub.id}: a gap (${signal.reason}), but nothing had gone wrong`);
      // What is dropped for want of room or of time may be of several sources.
    } else bySource.set(signal.source, (bySource.get(signal.source) ?? 0) + signal.count);
  }
  for (const [source, count] of bySource) {
    const missing = missingFrom(reading, sub, source);
    if (count > missing)
      wrong.push(`${sub.id}: gaps say that ${count} of ${source ?? 'all'} are missing; ${missing} are`);
  }
  return wrong;
}

/**
 * What a source may have sent the subscription, resolved or not, and it did not handle. A durable one is owed what came for it in
 * an earlier life, and has had what that handled. With a filter, nobody knows what was for it.
 */
function missingFrom(reading: Reading, sub: Sub, source: string | undefined): number {
  const lives = sub.kind === 'durable' ? reading.receiverOf(sub).subs : [sub];
  const since = Math.min(...lives.map(({ at }) => at));
  const handled = new Set(reading.calls.filter((call) => lives.includes(call.sub)).map(({ n }) => n));
  const first = firstPlaces(reading, handled);
  return reading.publications.filter(
    (one) =>
      (source === undefined || one.by.source === source) &&
      isFor(sub, one) &&
      (one.doneAt > since || (isUnsure(one) && one.place > (first.get(laneOf(one)) ?? Number.POSITIVE_INFINITY))) &&
      // Of what was published again one copy may be missing, though the other came.
      (!handled.has(one.n) || one !== reading.byEvent.get(one.n)?.[0]),
  ).length;
}

/**
 * Its publisher gave it up without knowing whether it was taken: the end of its wait is no bound, neither to when it was taken nor to
 * when it comes. Its number stays its own, and is missing between two that come, also to those who joined after it was given up.
 */
function isUnsure({ resolved, code }: Publication): boolean {
  return !resolved && code !== undefined && ['timeout', 'disconnected', 'internal', 'closed'].includes(code);
}

/** The place of the first that was handled, by what is numbered together. */
function firstPlaces(reading: Reading, handled: ReadonlySet<number>): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const one of reading.publications) {
    const lane = laneOf(one);
    if (handled.has(one.n)) first.set(lane, Math.min(one.place, first.get(lane) ?? Number.POSITIVE_INFINITY));
  }
  return first;
}

function laneOf({ by, to }: Publication): string {
  return `${by.id} → ${to.join()}`;
}

function losesBefore({ faults }: Reading, when: number): boolean {
  return faults.some(({ loses, at }) => loses && at < when);
}

/** Who may not look at what is kept cannot know that nothing is missing. */
function mayNotLook({ faults }: Reading, when: number): boolean {
  return faults.some(({ kind, at, healedAt }) => kind === 'forbid' && at < when && healedAt > when - LOOKED_WITHIN_MS);
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
          else if (promises.atLeastOnce && !losesBefore(reading, at) && !mayNotLook(reading, at)) {
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
