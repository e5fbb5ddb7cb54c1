import { PolycastError } from '../contract/error.ts';

/** A hold on what is shared. */
export interface Share<Value> {
  readonly value: Value;
  /** Lets go. The last one to do so closes the value, and then it resolves when that is closed. Idempotent. */
  release(): Promise<void>;
}

/** One opening, and how many wait for it or use what it gave. */
interface Held<Value> {
  readonly opening: Promise<Value>;
  readonly unwanted: AbortController;
  users: number;
  closing?: Promise<void>;
}

/**
 * Something that costs, such as a connection, opened when it is first asked for and closed with its last user. Callers that ask while it
 * is being opened wait for the same opening; should that fail, it fails for all of them, and the next one tries anew.
 */
export class Shared<Value> {
  readonly #open: (abortSignal: AbortSignal) => Promise<Value>;
  readonly #close: (value: Value) => Promise<void>;
  readonly #isShared: boolean;
  #current: Held<Value> | undefined;

  /**
   * @param open given a signal that is aborted when no caller waits for it any longer
   * @param close never called while it is in use, and once for each that was opened
   * @param isShared false: each caller has one of its own
   */
  constructor(
    open: (abortSignal: AbortSignal) => Promise<Value>,
    close: (value: Value) => Promise<void>,
    isShared = true,
  ) {
    this.#open = open;
    this.#close = close;
    this.#isShared = isShared;
  }

  /**
   * @param abortSignal the caller waits no longer; others may
   * @throws what opening throws; PolycastError `aborted`
   */
  async acquire(abortSignal?: AbortSignal): Promise<Share<Value>> {
    if (abortSignal?.aborted) throw aborted();
    const held = this.#current ?? this.#begin();
    if (this.#isShared) this.#current = held;
    held.users++;
    let isDropped = false;
    const drop = () => {
      isDropped = true;
      if (this.#leave(held)) held.unwanted.abort();
    };
    abortSignal?.addEventListener('abort', drop, { once: true });
    let value: Value;
    try {
      value = await held.opening;
    } catch (thrown) {
      if (this.#current === held) this.#current = undefined;
      throw thrown;
    } finally {
      abortSignal?.removeEventListener('abort', drop);
    }
    const close = async () => {
      if (held.users > 0) return;
      held.closing ??= this.#close(value);
      await held.closing;
    };
    if (isDropped) {
      await close();
      throw aborted();
    }
    let releasing: Promise<void> | undefined;
    const release = () => {
      this.#leave(held);
      return close();
    };
    return {
      value,
      release: () => {
        releasing ??= release();
        return releasing;
      },
    };
  }

  #begin(): Held<Value> {
    const unwanted = new AbortController();
    return { opening: this.#open(unwanted.signal), unwanted, users: 0 };
  }

  /** The next caller gets another, should this one have no user left. @returns has it none? */
  #leave(held: Held<Value>): boolean {
    held.users--;
    if (held.users > 0) return false;
    if (this.#current === held) this.#current = undefined;
    return true;
  }
}

function aborted(): PolycastError {
  return new PolycastError('aborted', 'connecting was aborted');
}
