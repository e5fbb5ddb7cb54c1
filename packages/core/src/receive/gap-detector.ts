import type { BroadcasterContext } from '../connection/broadcaster-context.ts';
import type { Signal } from '../contract/signal.ts';
import { epochEnd, numberIn } from '../publish/sequence-generator.ts';
import type { Receiving } from './source-receiver.ts';

/** One publisher's events to one address list, as one receiver sees them. */
interface Lane {
  /** The lowest number seen: what came before it was never owed. */
  lowest: number;
  highest: number;
  /** Numbers in between that have not come and still may. Bounded; undefined while there are none. */
  missing: Set<number> | undefined;
  /** How many subscriptions had joined when the highest came. */
  joins: number;
}

/** What is missing before an event that came. */
export interface Gap {
  readonly source: string;
  readonly epoch: string;
  readonly count: number;
  /** Subscriptions that joined later than so many others may have joined in the middle of it. */
  readonly joins: number;
}

/**
 * Signals gaps, with a count only where each missing event is known to have been for the listener.
 * @param hear signals to each subscription what is for it. @returns false if none of them listens
 */
export function gapDetectorFor(
  { publisher, source: own, report }: BroadcasterContext,
  hear: (toEach: (subscription: Receiving) => Signal) => boolean,
): GapDetector {
  return new GapDetector(({ source, epoch, count, joins }) => {
    const isOurs = epoch === publisher.epoch;
    if (isOurs && !publisher.copiesItself) return;
    const some: Signal = { kind: 'gap', reason: 'sequence', source };
    const all: Signal = isOurs || source === own ? some : { ...some, count };
    report(
      all,
      hear((one) => (one.joined > joins || one.settings.filter ? some : all)),
    );
  });
}

/**
 * Watches the numbers of publishers for holes. It decides nothing about an event: numbers come off a wire on which anyone may
 * write any number, so the worst that a false one can do is a false signal.
 */
export class GapDetector {
  /** How many subscriptions have joined that share what comes. */
  joins = 0;
  readonly #onGap: (gap: Gap) => void;
  /** By source and epoch, then by address list. */
  readonly #publishers = new Map<string, Map<string, Lane>>();
  /** The lane of the event before: mostly that of the next one, too. */
  #lastSource = '';
  #lastEpoch = '';
  #lastList = '';
  #lastLane: Lane | undefined;

  constructor(onGap: (gap: Gap) => void) {
    this.#onGap = onGap;
  }

  /**
   * An event came that was not here before.
   * @param isRedelivery it may have been here before after all, in an earlier life of ours or with another member
   * @param begins false: should it be the first of its publisher, those that follow it may have been handled in an earlier life
   */
  add(source: string, sequence: string, addressList: string, isRedelivery: boolean, begins = true): void {
    const end = epochEnd(sequence);
    const number = numberIn(sequence, end);
    if (number === 0) return;
    const epoch = sequence.slice(0, end);
    const isLast = epoch === this.#lastEpoch && addressList === this.#lastList && source === this.#lastSource;
    const lane = isLast ? this.#lastLane : this.#laneOf(source, epoch, addressList);
    if (lane === undefined) {
      if (begins) this.#enter(source, epoch, addressList, number);
      return;
    }
    if (number > lane.highest) {
      if (number > lane.highest + 1) this.#jump(source, epoch, lane, number);
      lane.highest = number;
      lane.joins = this.joins;
    } else if (number < lane.lowest) {
      // Overtaken by the one we met first; what lies in between may be on its way, too, and was never owed.
      expect(lane, number + 1, lane.lowest);
      lane.lowest = number;
    } else if (lane.missing?.delete(number)) {
      if (lane.missing.size === 0) lane.missing = undefined;
    } else if (!isRedelivery) {
      // A new event with a number that has passed: a false number led us astray. From here on we believe this one.
      lane.highest = number;
      lane.missing = undefined;
    }
  }

  /** Another lane than that of the event before; undefined if it is new. */
  #laneOf(source: string, epoch: string, addressList: string): Lane | undefined {
    const lane = this.#publishers.get(`${epoch}\n${source}`)?.get(addressList);
    if (lane !== undefined) this.#remember(source, epoch, addressList, lane);
    return lane;
  }

  #enter(source: string, epoch: string, addressList: string, number: number): void {
    const key = `${epoch}\n${source}`;
    let lanes = this.#publishers.get(key);
    if (lanes === undefined) {
      // Bounded: the publisher first met is forgotten first; should it still live, it merely starts afresh.
      if (this.#publishers.size >= MAX_PUBLISHERS) {
        this.#publishers.delete(this.#publishers.keys().next().value as string);
      }
      lanes = new Map();
      this.#publishers.set(key, lanes);
    }
    if (lanes.size >= MAX_LANES_OF_ONE) lanes.clear();
    const lane: Lane = { lowest: number, highest: number, missing: undefined, joins: this.joins };
    lanes.set(addressList, lane);
    this.#remember(source, epoch, addressList, lane);
  }

  #remember(source: string, epoch: string, addressList: string, lane: Lane): void {
    this.#lastSource = source;
    this.#lastEpoch = epoch;
    this.#lastList = addressList;
    this.#lastLane = lane;
  }

  #jump(source: string, epoch: string, lane: Lane, number: number): void {
    const first = lane.highest + 1;
    expect(lane, first, number);
    this.#onGap({ source, epoch, count: number - first, joins: lane.joins });
  }
}

/** Numbers from `first` to before `end` may still come. */
function expect(lane: Lane, first: number, end: number): void {
  if (first >= end) return;
  lane.missing ??= new Set();
  for (let at = Math.max(first, end - MAX_MISSING); at < end; at++) lane.missing.add(at);
  for (const oldest of lane.missing) {
    if (lane.missing.size <= MAX_MISSING) break;
    lane.missing.delete(oldest);
  }
}

const MAX_PUBLISHERS = 10_000;
const MAX_LANES_OF_ONE = 1_000;
const MAX_MISSING = 1_024;
