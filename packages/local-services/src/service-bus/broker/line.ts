/** Numbers that may be out of date before they are swept out, beside as many as are in use. */
const SLACK = 64;

/**
 * Who is next: sequence numbers in order, those that came back before those that never left. A number whose message
 * went otherwise stays until it is reached or swept out.
 */
export class Line {
  /** Ascending; those before `#head` were taken. */
  #queue: number[] = [];
  #head = 0;
  /** A min-heap of those that were taken and came back. */
  readonly #returned: number[] = [];
  #live = 0;

  /** How many are waiting. */
  get size(): number {
    return this.#live;
  }

  /** @param number greater than all before */
  append(number: number): void {
    this.#queue.push(number);
    this.#live++;
  }

  /** One that was taken, to its old place. */
  giveBack(number: number): void {
    this.#live++;
    const heap = this.#returned;
    let at = heap.length;
    heap.push(number);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= number) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = number;
  }

  /** Takes the lowest number, which may belong to a message that is gone: see `taken`. */
  shift(): number | undefined {
    const [waiting, back] = [this.#queue[this.#head], this.#returned[0]];
    if (back !== undefined && (waiting === undefined || back < waiting)) return this.#shiftReturned();
    if (waiting === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return waiting;
  }

  /** One that was shifted was there. */
  taken(): void {
    this.#live--;
  }

  /** One that is waiting went away otherwise. @param waits whether the message of a number still waits here */
  forget(waits: (number: number) => boolean): void {
    this.#live--;
    const stale = this.#queue.length - this.#head + this.#returned.length - this.#live;
    if (stale <= this.#live + SLACK) return;
    this.#queue = this.#queue.slice(this.#head).filter(waits);
    this.#head = 0;
    const kept = this.#returned.filter(waits).sort((a, b) => a - b);
    this.#returned.length = 0;
    // Sorted is a heap already.
    for (const number of kept) this.#returned.push(number);
  }

  #shiftReturned(): number {
    const heap = this.#returned;
    const first = heap[0]!;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
