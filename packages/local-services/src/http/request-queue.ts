/** The most requests of one connection that may wait for those before them. A client that sends more is cut off. */
export const MAX_PIPELINED = 256;

interface Waiting {
  last: Promise<void>;
  count: number;
}

/**
 * Requests that a client sends without waiting for answers (pipelining): they are answered one by one, in order, so that the
 * second finds what the first has done.
 */
export class RequestQueue {
  readonly #connections = new WeakMap<object, Waiting>();

  /**
   * Runs the action after those of the same connection before it.
   * @param action never rejects
   * @returns false, and does nothing, when too many wait already
   */
  add(connection: object, action: () => Promise<void>): boolean {
    const waiting = this.#connections.get(connection);
    if (waiting === undefined) {
      const first = { last: Promise.resolve(), count: 0 };
      this.#connections.set(connection, first);
      this.#append(first, action);
      return true;
    }
    if (waiting.count >= MAX_PIPELINED) return false;
    this.#append(waiting, action);
    return true;
  }

  #append(waiting: Waiting, action: () => Promise<void>): void {
    const run = async () => {
      await action();
      waiting.count--;
    };
    // Nobody before it: it begins at once.
    waiting.last = waiting.count === 0 ? run() : waiting.last.then(run);
    waiting.count++;
  }
}
