/** What one subscriber got of a run of numbered events. */
export class Tally {
  /** Deliveries, duplicates included. */
  received = 0;
  /** Deliveries of an event that had come before. */
  duplicated = 0;
  /** Events that came for the first time after one with a higher number. */
  reordered = 0;
  #seen = new Uint8Array(1024);
  #highest = -1;

  /** Different events. */
  get distinct(): number {
    return this.received - this.duplicated;
  }

  /** @returns whether the event came for the first time */
  add(number: number): boolean {
    const byte = number >>> 3;
    const bit = 1 << (number & 7);
    if (byte >= this.#seen.length) this.#grow(byte);
    this.received += 1;
    if ((this.#seen[byte]! & bit) !== 0) {
      this.duplicated += 1;
      return false;
    }
    this.#seen[byte]! |= bit;
    if (number < this.#highest) this.reordered += 1;
    else this.#highest = number;
    return true;
  }

  has(number: number): boolean {
    return ((this.#seen[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  /** Events of `first` to below `end` that never came. @param failed those whose publish was refused: nobody was promised them */
  lost(first: number, end: number, failed: ReadonlySet<number>): number {
    let lost = 0;
    for (let number = first; number < end; number += 1) if (!this.has(number) && !failed.has(number)) lost += 1;
    return lost;
  }

  #grow(byte: number): void {
    const larger = new Uint8Array(Math.max(this.#seen.length * 2, byte + 1));
    larger.set(this.#seen);
    this.#seen = larger;
  }
}
