/** What a sequence number says about an event. */
export type Arrival = 'next' | 'duplicate' | 'late' | 'gap';

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

  constructor(onGap: (source: string, count: number) => void) {
    this.#onGap = onGap;
  }

  observe(source: string, epoch: string, addressList: string, number: number): Arrival {
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
      lanes.set(addressList, { highest: number, missing: undefined });
      return 'next';
    }
    if (number === lane.highest + 1) {
      lane.highest = number;
      return 'next';
    }
    if (number > lane.highest) return this.#jump(source, lane, number);
    if (lane.missing?.delete(number)) {
      if (lane.missing.size === 0) lane.missing = undefined;
      return 'late';
    }
    return 'duplicate';
  }

  #jump(source: string, lane: Lane, number: number): Arrival {
    const first = lane.highest + 1;
    lane.missing ??= new Set();
    for (let at = Math.max(first, number - MAX_MISSING); at < number; at++) lane.missing.add(at);
    for (const oldest of lane.missing) {
      if (lane.missing.size <= MAX_MISSING) break;
      lane.missing.delete(oldest);
    }
    lane.highest = number;
    this.#onGap(source, number - first);
    return 'gap';
  }
}

const MAX_PUBLISHERS = 10_000;
const MAX_LANES_OF_ONE = 1_000;
const MAX_MISSING = 1_024;
