import type { BroadcastEvent } from '../envelope/event.ts';
import type { Runtime } from '../timing/runtime.ts';

/**
 * Numbers events per publisher and address list, so that receivers can see holes.
 *
 * An address list is a lane: whoever is on the list gets every event of the lane, so a missing number is a lost event
 * and not one that was meant for somebody else.
 */
export class SequenceGenerator {
  readonly #runtime: Runtime;
  epoch: string;
  #lanes = new Map<string, number>();
  #lastLane = '';
  #lastNumber = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.epoch = newEpoch(runtime);
  }

  /** The next position in the lane, as the CloudEvents `sequence` attribute. */
  next(lane: string): string {
    if (lane !== this.#lastLane) this.#switchTo(lane);
    this.#lastNumber++;
    return formatSequence(this.epoch, this.#lastNumber);
  }

  /** The event that was given it is not sent: the number is free again, unless a later one is out already. */
  rollBack(sequence: string | undefined): void {
    if (sequence === formatSequence(this.epoch, this.#lastNumber)) this.#lastNumber--;
  }

  /** The number of an event of the present epoch; else 0. */
  numberOf({ sequence }: BroadcastEvent): number {
    if (sequence === undefined) return 0;
    const end = epochEnd(sequence);
    return sequence.slice(0, end) === this.epoch ? numberIn(sequence, end) : 0;
  }

  /** The number given last in the lane. */
  last(lane: string): number {
    return lane === this.#lastLane ? this.#lastNumber : (this.#lanes.get(lane) ?? 0);
  }

  /** The lane goes on with `number`: the later ones were not sent. */
  rewind(lane: string, number: number): void {
    if (lane === this.#lastLane) this.#lastNumber = number - 1;
    else this.#lanes.set(lane, number - 1);
  }

  #switchTo(lane: string): void {
    if (this.#lastNumber > 0) this.#lanes.set(this.#lastLane, this.#lastNumber);
    // Bounded: a publisher that addressed very many single instances starts over under a new epoch.
    if (this.#lanes.size > MAX_LANES) {
      this.#lanes.clear();
      this.epoch = newEpoch(this.#runtime);
    }
    this.#lastLane = lane;
    this.#lastNumber = this.#lanes.get(lane) ?? 0;
  }
}

const MAX_LANES = 100_000;

/**
 * `<epoch>.<digits of n><n>`: text that sorts like the number, as the extension asks, without padding.
 * @see CloudEvents extension "sequence"
 */
export function formatSequence(epoch: string, number: number): string {
  const digits = String(number);
  return `${epoch}.${LENGTHS[digits.length]}${digits}`;
}

const LENGTHS = '0123456789abcdefg';

/** Where the epoch of a sequence ends; 0 or less for a text that Polycast did not write. */
export function epochEnd(sequence: string): number {
  return sequence.lastIndexOf('.');
}

/** The number of a sequence whose epoch ends at `end`; 0 for a text that Polycast did not write. */
export function numberIn(sequence: string, end: number): number {
  const digits = sequence.length - end - 2;
  if (end <= 0 || digits < 1 || digits >= LENGTHS.length || LENGTHS[digits] !== sequence[end + 1]) return 0;
  let number = 0;
  for (let at = end + 2; at < sequence.length; at++) {
    const digit = sequence.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return 0;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : 0;
}

const ZERO = 48;

/**
 * Start time in base 36 and six random characters: later starts sort later, within a process strictly. Two that start in the same
 * millisecond must differ all the same: each would take the other's events for its own.
 */
export function newEpoch(runtime: Runtime): string {
  return runtime.epochMs().toString(36) + runtime.randomBits().toString(36).padStart(7, '0').slice(-6);
}
