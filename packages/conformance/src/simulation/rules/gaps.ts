import { placeOf, type SourceRecord, type SubscriptionRecord } from '../trace.ts';
import { isDuring, isFor, isOpenAtRest, nameOf, type Rule, type View } from './view.ts';

/** Holes in what a source was handed: those of events that the service took are losses; others may be said or not. */
interface Holes {
  readonly losses: number;
  readonly others: number;
}

/** A gap is said where events are missing, with their number where each of them was owed; and nowhere else. */
export const gaps: Rule = (view) => {
  const { sub, trace, profile } = view;
  if (profile.manifest.capabilities.gapDetection.level !== 'emulated' || trace.wasForged) return [];
  if (view.part === 'group' || sub.crashedAt !== undefined) return [];
  const told = sub.signals.flatMap(({ signal }) =>
    signal.kind === 'gap' && signal.reason === 'sequence' ? [signal.count] : [],
  );
  const said = told.reduce<number>((sum, count) => sum + (count ?? 1), 0);
  let losses = 0;
  let others = 0;
  for (const source of view.sources) {
    const holes = holesOf(view, source);
    losses += holes.losses;
    others += holes.others;
  }
  if (said < losses && !told.includes(undefined))
    return [`missed-gap: ${nameOf(view)} missed ${losses} events and ${said} were signalled`];
  if (said > losses + others) {
    return [`false-gap: ${nameOf(view)} was signalled ${said} missing events, ${losses + others} are missing`];
  }
  return [];
};

function holesOf(view: View, source: SourceRecord): Holes {
  const highest = new Map<string, number>();
  // What went to another of its name is not missing.
  const came = new Set<string>();
  for (const { handed } of view.familySources) {
    for (const { sequence, lane } of handed) {
      const place = placeOf(sequence, lane);
      if (place !== undefined) came.add(`${place.lane} ${place.number}`);
    }
  }
  let losses = 0;
  let others = 0;
  for (const { sequence, lane, at, number: event, attempt } of source.handed) {
    const place = placeOf(sequence, lane);
    const isLeft = (attempt ?? 1) > 1;
    if (place === undefined) continue;
    const before = highest.get(place.lane);
    if (before !== undefined && place.number <= before) continue;
    // What an earlier life left begins nothing: those that follow it may have been handled there.
    if (before === undefined && isLeft) continue;
    highest.set(place.lane, place.number);
    if (before === undefined) continue;
    // Of its own events only copies are owed.
    const isOwed = isDuring(at, view.sub) && view.published(event)?.slot !== view.sub.slot;
    const taken = view.trace.takenNumbers.get(place.lane);
    for (let number = before + 1; number < place.number; number++) {
      if (isOwed && taken?.has(number) && !came.has(`${place.lane} ${number}`)) losses++;
      else others++;
    }
  }
  return { losses, others };
}

/** What the service lost is said, at the latest with the next event of its publisher. */
export const unannounced: Rule = (view) => {
  const { sub, trace } = view;
  if (!isOpenAtRest(sub, trace)) return [];
  return view.sources.flatMap((source) =>
    source.lost.flatMap(({ number, at }) => {
      const published = view.published(number);
      if (published === undefined || !isDuring(at, sub) || !isFor(view, published)) return [];
      if (source.handed.some((handed) => handed.number === number)) return [];
      if (isSaidToBeLost(sub, at.tick) || !isDue(view, source, number, at.tick)) return [];
      return sub.signals.some(({ signal }) => signal.kind === 'gap')
        ? []
        : [`unannounced: event ${number} was lost on its way to ${nameOf(view)}, and nothing says so`];
    }),
  );
};

function isSaidToBeLost(sub: SubscriptionRecord, tick: number): boolean {
  return sub.signals.some(
    ({ signal, at }) =>
      at.tick > tick &&
      ((signal.kind === 'reconnected' && signal.mayHaveLost) || (signal.kind === 'gap' && signal.reason === 'trimmed')),
  );
}

/** Something of the same lane came before it, and something came after it. */
function isDue(view: View, source: SourceRecord, number: number, tick: number): boolean {
  const lane = [...(view.published(number)?.to ?? [])].sort().join();
  const slot = view.published(number)?.slot;
  const same = source.handed.filter((handed) => handed.lane === lane && view.published(handed.number)?.slot === slot);
  return (
    same.some(({ at, number: other }) => at.tick < tick && other < number) &&
    same.some(({ at, number: other }) => at.tick > tick && other > number)
  );
}
