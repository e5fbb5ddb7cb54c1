/** A hold on what is shared. */
export interface Share<Value> {
  readonly value: Value;
  /** Lets go. The last one to do so closes the value, and then it resolves when that is closed. Idempotent. */
  release(): Promise<void>;
}

/**
 * Something that costs, such as a connection, opened when it is first asked for and closed with its last user. Who asks while it is
 * being opened waits for the same opening; should that fail, it fails for all of them, and the next one tries anew.
 */
export class Shared<Value> {
  readonly #open: () => Promise<Value>;
  readonly #close: (value: Value) => Promise<void>;
  readonly #isShared: boolean;
  #current: { readonly opening: Promise<Value>; users: number } | undefined;

  /**
   * @param close never called while it is in use, and once for each that was opened
   * @param isShared false: each one who asks has one of their own
   */
  constructor(open: () => Promise<Value>, close: (value: Value) => Promise<void>, isShared = true) {
    this.#open = open;
    this.#close = close;
    this.#isShared = isShared;
  }

  /** @throws what opening throws */
  async acquire(): Promise<Share<Value>> {
    const held = this.#current ?? { opening: this.#open(), users: 0 };
    if (this.#isShared) this.#current = held;
    held.users++;
    let value: Value;
    try {
      value = await held.opening;
    } catch (thrown) {
      if (this.#current === held) this.#current = undefined;
      throw thrown;
    }
    let releasing: Promise<void> | undefined;
    const release = async () => {
      held.users--;
      if (held.users > 0) return;
      // Who asks from now on gets another: this one is on its way out.
      if (this.#current === held) this.#current = undefined;
      await this.#close(value);
    };
    return {
      value,
      release: () => {
        releasing ??= release();
        return releasing;
      },
    };
  }
}
