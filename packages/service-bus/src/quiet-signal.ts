type Listener = (event: unknown) => void;

/**
 * An abort signal for the SDK. What its listeners throw an `AbortSignal` of Node throws at the process; here it goes to
 * whoever made the signal.
 */
export class QuietSignal {
  readonly #onThrown: (thrown: unknown) => void;
  readonly #listeners = new Set<Listener>();
  #aborted = false;

  constructor(onThrown: (thrown: unknown) => void) {
    this.#onThrown = onThrown;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  addEventListener(_: 'abort', listener: Listener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: Listener): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    for (const listener of [...this.#listeners]) {
      try {
        listener.call(this, { type: 'abort' });
      } catch (thrown) {
        this.#onThrown(thrown);
      }
    }
    this.#listeners.clear();
  }
}
