import { type BroadcastEvent, type Identity, ownNumberOf } from '../envelope/event.ts';
import type { Runtime } from '../timing/runtime.ts';
import { Deduplicator } from './deduplicator.ts';

/** How many ids below the highest one of a publisher are remembered. A multiple of 32. */
export const ID_WINDOW = 4_096;
const MAX_SERIES = 10_000;

/**
 * Which events were here before, by id and source. The ids that Polycast makes count up (`<epoch>.<number>`): of each
 * publisher a window of them is kept, a bit each; all others are remembered as strings.
 *
 * Only an id tells a duplicate. A sequence number does not: a stranger may copy one, and a batch that was tried again may
 * come after a later one.
 */
export class IdMemory {
  readonly #others: Deduplicator;
  readonly #series = new Map<string, Series>();
  /** Those of the event before: mostly of the next one, too. */
  #lastSource = '';
  #lastPrefix = '';
  #lastSeries: Series | undefined;

  constructor(runtime: Runtime) {
    this.#others = new Deduplicator(runtime);
  }

  /** Remembers an event. @returns false if it was here before */
  add(event: BroadcastEvent): boolean {
    const own = ownNumberOf(event);
    if (own > 0) return this.#seriesOf(event.source, event.epoch as string).add(own) ?? this.#others.add(event);
    const { id } = event;
    const prefix = this.#prefixOf(id);
    const number = prefix === undefined ? 0 : numberAt(id, prefix.length + 1);
    if (prefix === undefined || number === 0) return this.#others.add(event);
    return this.#seriesOf(event.source, prefix).add(number) ?? this.#others.add(event);
  }

  /** Was it here before? */
  has(event: Identity): boolean {
    const prefix = this.#prefixOf(event.id);
    const number = prefix === undefined ? 0 : numberAt(event.id, prefix.length + 1);
    const known = prefix === undefined || number === 0 ? undefined : this.#seriesOf(event.source, prefix).has(number);
    return known ?? this.#others.has(event);
  }

  /** The event may come again: it was not handled for good. */
  forget(event: Identity): void {
    const prefix = this.#prefixOf(event.id);
    const number = prefix === undefined ? 0 : numberAt(event.id, prefix.length + 1);
    if (prefix !== undefined && number > 0) this.#seriesOf(event.source, prefix).remove(number);
    this.#others.remove(event);
  }

  #prefixOf(id: string): string | undefined {
    const last = this.#lastPrefix;
    // Before the first there is none: an id may begin with a dot.
    if (last !== '' && id.charCodeAt(last.length) === DOT && id.slice(0, last.length) === last) return last;
    return EPOCH.exec(id)?.[1];
  }

  #seriesOf(source: string, prefix: string): Series {
    if (this.#lastSeries !== undefined && source === this.#lastSource && prefix === this.#lastPrefix) {
      return this.#lastSeries;
    }
    const key = `${prefix}\n${source}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      // Bounded: of the publisher first met a duplicate may be handled twice.
      if (this.#series.size >= MAX_SERIES) this.#series.delete(this.#series.keys().next().value as string);
      series = new Series();
      this.#series.set(key, series);
    }
    this.#lastSource = source;
    this.#lastPrefix = prefix;
    this.#lastSeries = series;
    return series;
  }
}

/** The highest number so far, and which of those shortly below it have been here. */
class Series {
  readonly #bits = new Uint32Array(ID_WINDOW / 32);
  #highest = 0;

  /** @returns false if it was here before; undefined if it is too far back to know */
  add(number: number): boolean | undefined {
    if (number > this.#highest) {
      if (number > this.#highest + 1) this.#clear(number);
      this.#highest = number;
    } else if (number <= this.#highest - ID_WINDOW) return undefined;
    else if ((this.#wordOf(number) & bitOf(number)) !== 0) return false;
    this.#bits[indexOf(number)] = this.#wordOf(number) | bitOf(number);
    return true;
  }

  /** Undefined if it is too far back to know. */
  has(number: number): boolean | undefined {
    if (number > this.#highest) return false;
    return number <= this.#highest - ID_WINDOW ? undefined : (this.#wordOf(number) & bitOf(number)) !== 0;
  }

  remove(number: number): void {
    if (number > this.#highest || number <= this.#highest - ID_WINDOW) return;
    this.#bits[indexOf(number)] = this.#wordOf(number) & ~bitOf(number);
  }

  /** The places of the numbers that are jumped over still hold what was there a window ago. */
  #clear(number: number): void {
    if (number - this.#highest >= ID_WINDOW) {
      this.#bits.fill(0);
      return;
    }
    for (let at = this.#highest + 1; at < number; at++) {
      this.#bits[indexOf(at)] = this.#wordOf(at) & ~bitOf(at);
    }
  }

  #wordOf(number: number): number {
    return this.#bits[indexOf(number)] as number;
  }
}

/** Bit operations see the lower 32 bits of a number: enough for its place in the window. */
function indexOf(number: number): number {
  return (number & (ID_WINDOW - 1)) >>> 5;
}

function bitOf(number: number): number {
  return 1 << (number & 31);
}

/** The number that a text ends in, from there on; 0 if anything else stands there. */
function numberAt(text: string, start: number): number {
  const { length } = text;
  if (start >= length || length - start > MAX_DIGITS || text.charCodeAt(start) === ZERO) return 0;
  let number = 0;
  for (let at = start; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return 0;
    number = number * 10 + digit;
  }
  return number;
}

const DOT = 46;
const ZERO = 48;
/** Of a number that is exact as a double. */
const MAX_DIGITS = 15;
/** What `newEpoch` makes: eight or nine characters of time (until the year 5188), six random ones. */
const EPOCH = /^([0-9a-z]{14,15})\.[1-9]\d*$/;
