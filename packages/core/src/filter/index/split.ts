import { MAX_INTEGER, MIN_INTEGER } from '../tree.ts';
import type { Access, AccessKey, AccessKind } from './access.ts';

/** A way to tell places apart. */
export interface Choice {
  readonly kind: AccessKind;
  readonly attribute: string;
}

interface Candidate extends Choice {
  places: number;
  /** Of them, how many could then be told apart by another attribute. */
  withOthers: number;
  keyCount: number;
  readonly keys: Set<AccessKey>;
  /** Of ranges: all widths together, and how far they reach. */
  width: number;
  low: number;
  high: number;
}

/** What an event meets besides its share. Worse ways are taken last. */
const COST: Readonly<Record<AccessKind, number>> = {
  text: 0,
  range: 0,
  span: 0,
  prefix: 0.05,
  suffix: 0.05,
  piece: 0.2,
  'at-least': 0.5,
  'at-most': 0.5,
};
/** The one or two cells of a range are, together, so much wider. */
const CELL_WASTE = 2.5;
/** An event meets spans one by one, so nothing is won below them. */
const SPAN_LOSS = 0.5;
/** A partition is worth its look-up if it spares an event this many places. */
const MIN_SPARED = 4;

/**
 * Most events are beyond many thresholds, so a place is found by one only if it has nothing better.
 */
export function isPoor({ kind }: Choice): boolean {
  return kind === 'at-least' || kind === 'at-most';
}

/** The way that spares an event the most of the places that have these ways, if there is one worth the while. */
export function chooseSplit(places: readonly (readonly Access[])[]): Choice | undefined {
  const candidates: Candidate[] = [];
  for (const ways of places) {
    const onlyPoor = ways.every(isPoor);
    for (const way of ways) {
      if (isPoor(way) && !onlyPoor) continue;
      const hasOther = ways.some((one) => one.attribute !== way.attribute && !isPoor(one));
      count(candidateFor(way, candidates), way, hasOther);
    }
  }
  let best: Candidate | undefined;
  let most = MIN_SPARED;
  for (const candidate of candidates) {
    const spared = sparedBy(candidate);
    if (spared <= most) continue;
    best = candidate;
    most = spared;
  }
  return best;
}

function candidateFor({ kind, attribute }: Access, candidates: Candidate[]): Candidate {
  for (const one of candidates) if (one.kind === kind && one.attribute === attribute) return one;
  const candidate: Candidate = {
    kind,
    attribute,
    places: 0,
    withOthers: 0,
    keyCount: 0,
    keys: new Set(),
    width: 0,
    low: MAX_INTEGER,
    high: MIN_INTEGER,
  };
  candidates.push(candidate);
  return candidate;
}

function count(candidate: Candidate, { keys, interval }: Access, hasOther: boolean): void {
  candidate.places += 1;
  if (hasOther) candidate.withOthers += 1;
  candidate.keyCount += keys.length;
  for (const key of keys) candidate.keys.add(key);
  if (interval === undefined) return;
  candidate.width += interval.high - interval.low + 1;
  candidate.low = Math.min(candidate.low, interval.low);
  candidate.high = Math.max(candidate.high, interval.high);
}

/** How many of the places that can be told apart an event need not look at, if it has the attribute. */
function sparedBy(candidate: Candidate): number {
  return candidate.places * (1 - Math.min(1, shareOf(candidate) + COST[candidate.kind]));
}

function shareOf({ kind, places, withOthers, keyCount, keys, width, low, high }: Candidate): number {
  if (kind === 'range' || kind === 'span') {
    const share = width / places / (high - low + 1);
    return kind === 'range' ? Math.min(1, share * CELL_WASTE) : share + (SPAN_LOSS * withOthers) / places;
  }
  // A single key still tells events with another value, or none.
  return keys.size === 1 ? 0.7 : keyCount / places / keys.size;
}
