import type { Link } from '../contract/transport.ts';

/** Tells a service that lists members itself whether this participant takes part: while it has a subscription. One word after another. */
export class Presence {
  readonly #link: Link;
  readonly #listens: () => boolean;
  readonly #failed: (thrown: unknown) => void;
  #isThere = false;
  #turn: Promise<void> = Promise.resolve();

  /** @param listens has it a subscription? @param failed it could not leave: nobody waits for that */
  constructor(link: Link, listens: () => boolean, failed: (thrown: unknown) => void) {
    this.#link = link;
    this.#listens = listens;
    this.#failed = failed;
  }

  /** Resolves when the service knows what is so by now. Rejects if it could not enter; the next call tries again. */
  sync(): Promise<void> {
    const done = this.#turn.then(() => this.#sync());
    this.#turn = done.catch(() => {});
    return done;
  }

  async #sync(): Promise<void> {
    const listens = this.#listens();
    if (listens === this.#isThere) return;
    if (listens) {
      await this.#link.enter?.();
      this.#isThere = true;
      return;
    }
    this.#isThere = false;
    try {
      await this.#link.leave?.();
    } catch (thrown) {
      this.#failed(thrown);
    }
  }
}
