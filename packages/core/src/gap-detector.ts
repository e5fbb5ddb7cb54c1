import { epochEnd, numberIn } from './sequence.ts';

/** One publisher's events to one address list, as one receiver sees them. */
interface Lane {
  highest: number;
  /** Numbers below `highest` that have not come. Bounded; undefined while there are none. */
  missing: Set<number> | undefined;
}

/**
 * Watches the numbers of publishers for holes and repetitions. The first number seen of a lane is its start:
 * what came before it was never owed.
 */
export class GapDetector {
  readonly #onGap: (source: string, count: number) => void;
  readonly #lanes = new Map<string, Map<string, Lane>>();
  /** The lane of the event before: mostly that of the next one, too. */
  #lastEpoch = '';
  #lastList = '';
  #lastLane: Lane | undefined;

  constructor(onGap: (source: string, count: number) => void) {
    this.#onGap = onGap;
  }

  /** @returns was it here before? False too for a sequence that Polycast did not write */
  isRepeated(source: string, sequence: string, addressList: string): boolean {
    const end = epochEnd(sequence);
    const number = numberIn(sequence, end);
    if (number === 0) return false;
    const epoch = sequence.slice(0, end);
    const lane = epoch === this.#lastEpoch && addressList === this.#lastList ? this.#lastLane : undefined;
    if (lane === undefined) return this.#enter(source, epoch, addressList, number);
    return this.#advance(source, lane, number);
  }

  /** Another lane than the event before. */
  #enter(source: string, epoch: string, addressList: string, number: number): boolean {
    this.#lastEpoch = epoch;
    this.#lastList = addressList;
    let lanes = this.#lanes.get(epoch);
    if (lanes === undefined) {
      // Bounded: the publisher first met is forgotten first; should it still live, it merely starts afresh.
      if (this.#lanes.size >= MAX_PUBLISHERS) this.#lanes.delete(this.#lanes.keys().next().value as string);
      lanes = new Map();
      this.#lanes.set(epoch, lanes);
    }
    const lane = lanes.get(addressList);
    if (lane === undefined) {
      if (lanes.size >= MAX_LANES_OF_ONE) lanes.clear();
      this.#lastLane = { highest: number, missing: undefined };
      lanes.set(addressList, this.#lastLane);
      return false;
    }
    this.#lastLane = lane;
    return this.#advance(source, lane, number);
  }

  #advance(source: string, lane: Lane, number: number): boolean {
    if (number > lane.highest) {
      if (number > lane.highest + 1) this.#jump(source, lane, number);
      lane.highest = number;
      return false;
    }
    if (!lane.missing?.delete(number)) return true;
    if (lane.missing.size === 0) lane.missing = undefined;
    return false;
  }

  #jump(source: string, lane: Lane, number: number): void {
    const first = lane.highest + 1;
    lane.missing ??= new Set();
    for (let at = Math.max(first, number - MAX_MISSING); at < number; at++) lane.missing.add(at);
    for (const oldest of lane.missing) {
      if (lane.missing.size <= MAX_MISSING) break;
      lane.missing.delete(oldest);
    }
    this.#onGap(source, number - first);
  }
}

const MAX_PUBLISHERS = 10_000;
const MAX_LANES_OF_ONE = 1_000;
const MAX_MISSING = 1_024;
