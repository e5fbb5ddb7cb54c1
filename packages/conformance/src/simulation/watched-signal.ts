/** A user's `AbortSignal` that counts the listeners on it. */
export class WatchedSignal {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<unknown>();

  constructor() {
    const { signal } = this.#controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: never, options?: never) => {
      this.#listeners.add(listener);
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: never, options?: never) => {
      this.#listeners.delete(listener);
      remove(type, listener, options);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Those that were neither removed nor called. */
  get listeners(): number {
    return this.#controller.signal.aborted ? 0 : this.#listeners.size;
  }

  abort(): void {
    this.#controller.abort();
  }
}
