const INITIAL_CAPACITY = 16;
/** Most queues never need one. */
const EMPTY = new Float64Array(0);
/** Entries that may be out of date before they are swept out, beside as many as are in use. */
const SLACK = 1024;

/**
 * Sequence numbers by the time at which something falls due: 16 bytes each, since a million messages may have one.
 * Whoever takes one out checks that it still holds: entries are not removed when a message goes, but swept out in bulk.
 */
export class TimeHeap {
  #times = EMPTY;
  #numbers = EMPTY;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The earliest time, epoch ms, of an entry that still holds; Infinity: there is none. Those before it are dropped. */
  next(holds: (number: number, time: number) => boolean): number {
    while (this.#size > 0) {
      const time = this.#times[0]!;
      if (holds(this.#numbers[0]!, time)) return time;
      this.#dropFirst();
    }
    return Number.POSITIVE_INFINITY;
  }

  add(time: number, number: number): void {
    if (this.#size === this.#times.length) this.#resize(Math.max(INITIAL_CAPACITY, this.#size * 2));
    this.#up(this.#size++, time, number);
  }

  /** The sequence number that is due first, if that is not after `now`; else undefined. */
  takeDue(now: number): number | undefined {
    if (this.#size === 0 || this.#times[0]! > now) return undefined;
    const number = this.#numbers[0]!;
    this.#dropFirst();
    return number;
  }

  /** Sweeps out what no longer holds, once that is most of it. @param live how many entries hold at most */
  sweep(live: number, holds: (number: number, time: number) => boolean): void {
    if (this.#size <= live * 2 + SLACK) return;
    const size = this.#size;
    let kept = 0;
    for (let at = 0; at < size; at++) {
      const [time, number] = [this.#times[at]!, this.#numbers[at]!];
      if (!holds(number, time)) continue;
      this.#times[kept] = time;
      this.#numbers[kept++] = number;
    }
    this.#size = kept;
    if (kept * 4 < this.#times.length) this.#resize(Math.max(INITIAL_CAPACITY, kept * 2));
    for (let at = (kept >> 1) - 1; at >= 0; at--) this.#down(at, this.#times[at]!, this.#numbers[at]!);
  }

  #dropFirst(): void {
    this.#size--;
    if (this.#size > 0) this.#down(0, this.#times[this.#size]!, this.#numbers[this.#size]!);
    else this.#resize(0);
  }

  #up(start: number, time: number, number: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= time) break;
      this.#times[at] = this.#times[parent]!;
      this.#numbers[at] = this.#numbers[parent]!;
      at = parent;
    }
    this.#times[at] = time;
    this.#numbers[at] = number;
  }

  #down(start: number, time: number, number: number): void {
    const size = this.#size;
    let at = start;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#times[child + 1]! < this.#times[child]!) child++;
      if (this.#times[child]! >= time) break;
      this.#times[at] = this.#times[child]!;
      this.#numbers[at] = this.#numbers[child]!;
      at = child;
    }
    this.#times[at] = time;
    this.#numbers[at] = number;
  }

  #resize(capacity: number): void {
    if (capacity === 0) {
      // A heap that fills and empties all the time keeps its room.
      if (this.#times.length <= SLACK * 2) return;
      this.#times = EMPTY;
      this.#numbers = EMPTY;
      return;
    }
    const [times, numbers] = [new Float64Array(capacity), new Float64Array(capacity)];
    times.set(this.#times.subarray(0, this.#size));
    numbers.set(this.#numbers.subarray(0, this.#size));
    this.#times = times;
    this.#numbers = numbers;
  }
}
