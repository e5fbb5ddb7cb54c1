import type { Access, AccessKind } from './access.ts';
import type { Place } from './place.ts';

/** A way to tell places apart. */
export interface Choice {
  readonly kind: AccessKind;
  readonly attribute: string;
}

interface Candidate extends Choice {
  places: number;
  keyCount: number;
  readonly keys: Set<string | number>;
}

/** How much of what shares a key an event still meets, besides the others of its key; worse ways are taken last. */
const COST: Readonly<Record<AccessKind, number>> = {
  text: 0,
  range: 0.1,
  prefix: 0.05,
  suffix: 0.05,
  piece: 0.2,
  'at-least': 0.5,
  'at-most': 0.5,
};
/** A partition is worth its look-up if it spares an event this many places. */
const MIN_SPARED = 4;

/** The way that spares an event the most of these places, if there is one worth the while. */
export function chooseSplit<Id>(places: readonly Place<Id>[], isUsed: (choice: Choice) => boolean): Choice | undefined {
  const candidates = new Map<string, Candidate>();
  for (const place of places) for (const test of place.tests) for (const one of test.accesses()) count(candidates, one);
  let best: Candidate | undefined;
  let most = MIN_SPARED;
  for (const candidate of candidates.values()) {
    const spared = sparedBy(candidate);
    if (spared <= most || isUsed(candidate)) continue;
    best = candidate;
    most = spared;
  }
  return best;
}

function count(candidates: Map<string, Candidate>, { kind, attribute, keys }: Access): void {
  const name = `${kind} ${attribute}`;
  let candidate = candidates.get(name);
  if (candidate === undefined) {
    candidate = { kind, attribute, places: 0, keyCount: 0, keys: new Set() };
    candidates.set(name, candidate);
  }
  candidate.places += 1;
  candidate.keyCount += keys.length;
  for (const key of keys) candidate.keys.add(key);
}

/** Of the places that can be told apart, how many an event that has the attribute need not look at. */
function sparedBy({ kind, places, keyCount, keys }: Candidate): number {
  // A single key still tells events with another value, or none.
  const share = keys.size === 1 ? 0.7 : keyCount / places / keys.size;
  return places * (1 - Math.min(1, share + COST[kind]));
}
