import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { isCluster } from './client.ts';

interface Pending {
  /** By the monotonic clock. */
  readonly lateAtMs: number;
  readonly giveUp: (error: Error) => void;
}

/** Looks at most so often, in ms, for commands that are late. */
const LONGEST_LOOK_MS = 1_000;

/**
 * Times out the commands that carry events, without a timer for each: ioredis makes and clears one a command, which for
 * one event at a time costs as much as writing the event. They come at most an eighth late, and never more than a second.
 * Clients that were given, and clusters, keep the timers they have.
 */
export class CommandWatch {
  readonly #options: RedisOptions | undefined;
  readonly #timeoutMs: number;
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;

  /** @param isGiven somebody else's client? */
  constructor(client: Redis | Cluster, isGiven: boolean) {
    const timeoutMs = isGiven || isCluster(client) ? undefined : client.options.commandTimeout;
    this.#options = timeoutMs === undefined ? undefined : (client as Redis).options;
    this.#timeoutMs = timeoutMs ?? 0;
  }

  /** @param send sends one command before it returns. Rejects as a timer of ioredis would make it. */
  run<Value>(send: () => Promise<Value>): Promise<Value> {
    if (this.#options === undefined) return send();
    // ioredis looks at it while it sends, and at no other time.
    this.#options.commandTimeout = undefined;
    try {
      return this.#watch(send());
    } finally {
      this.#options.commandTimeout = this.#timeoutMs;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #watch<Value>(sent: Promise<Value>): Promise<Value> {
    if (this.#timer === undefined) {
      this.#timer = setInterval(this.#look, Math.min(LONGEST_LOOK_MS, Math.max(1, this.#timeoutMs / 8)));
      this.#timer.unref();
    }
    return new Promise((resolve, reject) => {
      const pending: Pending = { lateAtMs: performance.now() + this.#timeoutMs, giveUp: reject };
      this.#pending.add(pending);
      sent.then(
        (value) => {
          this.#pending.delete(pending);
          resolve(value);
        },
        (thrown: unknown) => {
          this.#pending.delete(pending);
          reject(thrown);
        },
      );
    });
  }

  readonly #look = (): void => {
    if (this.#pending.size === 0) return this.stop();
    const nowMs = performance.now();
    for (const pending of this.#pending) {
      // In the order sent.
      if (pending.lateAtMs > nowMs) return;
      this.#pending.delete(pending);
      pending.giveUp(new Error('Command timed out'));
    }
  };
}
