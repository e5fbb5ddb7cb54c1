import type { PolycastError } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { goodbye, reconnectDelayMs, watchErrors, within } from './client.ts';
import { mapError } from './map-error.ts';

export interface DedicatedOptions {
  /** Makes the next connection, not yet open. May throw. */
  make(): Redis;
  readonly connectTimeoutMs: number;
  /** Runs on every new connection before it counts as up. */
  prepare(redis: Redis): Promise<void>;
  onDown?(error: PolycastError): void;
  /** Never called for the first connection. */
  onUp?(downMs: number): void;
}

/** A connection with a state on the server (a subscription, a blocking read), which is made again when it is lost. */
export class Dedicated {
  readonly #options: DedicatedOptions;
  #redis: Redis | undefined;
  #closed = false;
  #downSince: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #waiting: ((redis: Redis | undefined) => void)[] = [];

  constructor(options: DedicatedOptions) {
    this.#options = options;
  }

  /** The connection, if it is up. */
  get current(): Redis | undefined {
    return this.#redis;
  }

  /** The first connection. @throws PolycastError as opening a transport does */
  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (thrown) {
      this.#closed = true;
      throw mapError(thrown, 'open');
    }
  }

  /** Resolves when it is up; to undefined once it is closed. */
  ready(): Promise<Redis | undefined> {
    if (this.#redis !== undefined || this.#closed) return Promise.resolve(this.#redis);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Drops a connection that seems dead; a new one is made. */
  drop(): void {
    this.#redis?.disconnect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const redis = this.#redis;
    this.#redis = undefined;
    this.#wake(undefined);
    if (redis !== undefined) await goodbye(redis);
  }

  async #connect(): Promise<void> {
    const { connectTimeoutMs, prepare, onUp } = this.#options;
    const redis = this.#options.make();
    const seen = watchErrors(redis);
    try {
      await within(
        connectTimeoutMs,
        redis.connect().then(() => prepare(redis)),
        () => seen.error,
      );
    } catch (thrown) {
      redis.disconnect();
      throw seen.error ?? thrown;
    }
    if (this.#closed || redis.status !== 'ready') {
      redis.disconnect();
      throw seen.error ?? new Error('Connection is closed.');
    }
    redis.once('end', () => this.#lost(redis, seen.error));
    // A sharded channel moved to another server: the driver can only tell by these.
    redis.once('moved' as 'end', () => redis.disconnect());
    redis.on('error', (error: Error) => {
      if (error.message.startsWith('Command queue state error')) redis.disconnect();
    });
    this.#redis = redis;
    if (this.#downSince !== undefined) {
      const downMs = performance.now() - this.#downSince;
      this.#downSince = undefined;
      onUp?.(downMs);
    }
    this.#wake(redis);
  }

  #lost(redis: Redis, error: unknown): void {
    if (this.#redis !== redis) return;
    this.#redis = undefined;
    this.#downSince = performance.now();
    this.#options.onDown?.(mapError(error ?? new Error('Connection is closed.')));
    this.#again(1);
  }

  #again(times: number): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#connect().catch(() => this.#again(times + 1));
    }, reconnectDelayMs(times));
    this.#retry.unref();
  }

  #wake(redis: Redis | undefined): void {
    for (const resolve of this.#waiting.splice(0)) resolve(redis);
  }
}
