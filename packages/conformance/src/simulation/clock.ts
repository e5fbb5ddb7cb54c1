/** Something that will happen at a virtual time. */
export interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
  isCancelled: boolean;
}

/**
 * Virtual time. It moves only from one due task to the next, and only after every promise job of the task before has run:
 * the whole simulation is a function of its history.
 */
export class Clock {
  nowMs = 0;
  /** How many turns of the event loop there were. */
  turns = 0;
  /** A task threw: on a real clock that would end the process. */
  onThrown: (thrown: unknown) => void = () => {};
  readonly #heap: Due[] = [];
  #nextOrder = 0;

  after(delayMs: number, task: () => void): Due {
    const due: Due = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#nextOrder++,
      task,
      isCancelled: false,
    };
    this.#push(due);
    return due;
  }

  /** Runs what is due up to `untilMs`, then stands there. @returns false if `budget` tasks were not enough */
  runUntil(untilMs: number, budget: { tasks: number }): Promise<boolean> {
    return new Promise((resolve) => {
      // Once each turn of the real event loop: all promise jobs, and what they bring with them, have run in between.
      const step = () => {
        this.turns++;
        const next = this.#takeDue(untilMs);
        if (next === undefined) {
          this.nowMs = Math.max(this.nowMs, untilMs);
          return resolve(true);
        }
        if (budget.tasks-- <= 0) return resolve(false);
        this.nowMs = Math.max(this.nowMs, next.atMs);
        try {
          next.task();
        } catch (thrown) {
          this.onThrown(thrown);
        }
        setImmediate(step);
      };
      setImmediate(step);
    });
  }

  /** The next task, if it is due by then and was not cancelled. */
  #takeDue(untilMs: number): Due | undefined {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) return undefined;
      this.#pop();
      if (!next.isCancelled) return next;
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, heap[parent] as Due)) break;
      heap[at] = heap[parent] as Due;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Due;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child++;
      if (!isBefore(heap[child] as Due, last)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
