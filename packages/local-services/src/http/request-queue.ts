/** The most requests of one connection that may wait for those before them. A client that sends more is cut off. */
export const MAX_PIPELINED = 256;

interface Line {
  last: Promise<void>;
  waiting: number;
}

/**
 * Requests that a client sends without waiting for answers (pipelining): they are answered one by one, in order, so that the
 * second finds what the first has done.
 */
export class Turns {
  readonly #lines = new WeakMap<object, Line>();

  /**
   * Runs the action after those of the same connection before it.
   * @param action never rejects
   * @returns false, and does nothing, when too many wait already
   */
  take(connection: object, action: () => Promise<void>): boolean {
    const line = this.#lines.get(connection);
    if (line === undefined) {
      const first = { last: Promise.resolve(), waiting: 0 };
      this.#lines.set(connection, first);
      this.#append(first, action);
      return true;
    }
    if (line.waiting >= MAX_PIPELINED) return false;
    this.#append(line, action);
    return true;
  }

  #append(line: Line, action: () => Promise<void>): void {
    const run = async () => {
      await action();
      line.waiting--;
    };
    // Nobody before it: it begins at once.
    line.last = line.waiting === 0 ? run() : line.last.then(run);
    line.waiting++;
  }
}
