import { type LinkContext, Outage, type PolycastError, within } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { type Commands, disconnectNow, type Found, goodbye, reconnectDelayMs, watchErrors } from './client.ts';
import { mapError } from './map-error.ts';
import { type History, REPLICA_ERROR, RoleQuestion } from './server-role.ts';

export interface DedicatedOptions {
  readonly commands: Commands;
  /** Lives on the server that it connects to. */
  readonly key: string;
  readonly connectTimeoutMs: number;
  readonly context: Pick<LinkContext, 'signal'>;
  /** Runs on every new connection before it is opened. */
  configure?(redis: Redis): void;
  /** Runs on every new connection before it counts as up. */
  prepare(redis: Redis): Promise<void>;
  onDown?(error: PolycastError): void;
  /** Never called for the first connection. */
  onUp?(): void;
}

/** What a server of a cluster says of a channel or key that it no longer holds. */
const MOVED_ERROR = 'MOVED to another server of the cluster';

/**
 * A connection with a state on the server (a subscription, a blocking read), which is made again when it is lost: to the
 * server that holds its key by then, and to none but a primary.
 */
export class DedicatedConnection {
  readonly #options: DedicatedOptions;
  readonly #question = new RoleQuestion();
  readonly #outage: Outage;
  readonly #endFollowing: () => void;
  #redis: Redis | undefined;
  #connecting: Redis | undefined;
  /** Of the data of the server that it is connected to. */
  #history: History | undefined;
  #upSinceMs = 0;
  /** Where the connection for commands came back to while this one was being made. */
  #found: Found | undefined;
  #closed = false;
  /** Why it is dropped, for the signal. */
  #dropped: Error | undefined;
  /** Has it been lost, and is not back? */
  #isLost = false;
  #retry: NodeJS.Timeout | undefined;
  #waiting: ((redis: Redis | undefined) => void)[] = [];

  constructor(options: DedicatedOptions) {
    const { commands, context, key } = options;
    this.#options = options;
    this.#outage = new Outage('the connection cannot be restored', (error) =>
      context.signal({ kind: 'failed', what: 'source', error }),
    );
    this.#endFollowing = commands.onMoved((found) => {
      if (this.#redis === undefined) {
        if (this.#connecting !== undefined) this.#found = found;
        return;
      }
      if (!commands.isCluster) {
        if (found === undefined || !this.#isAt(found)) this.drop(new Error(REPLICA_ERROR));
      } else if (!commands.isOwner(this.#redis, key)) this.drop(new Error(MOVED_ERROR));
    });
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
      await this.close();
      throw mapError(thrown, 'open');
    }
  }

  /** Resolves when it is up; to undefined once it is closed. */
  ready(): Promise<Redis | undefined> {
    if (this.#redis !== undefined || this.#closed) return Promise.resolve(this.#redis);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Drops a connection that is of no use any more; a new one is made. */
  drop(reason?: Error): void {
    if (this.#redis === undefined) return;
    this.#dropped ??= reason;
    this.#redis.disconnect();
  }

  /** @param politely says goodbye: not where the server would not read it, being asked to block */
  async close(politely = true): Promise<void> {
    this.#closed = true;
    this.#endFollowing();
    clearTimeout(this.#retry);
    if (this.#connecting !== undefined) disconnectNow(this.#connecting);
    const redis = this.#redis;
    this.#redis = undefined;
    this.#wake(undefined);
    if (redis === undefined) return;
    if (politely) await goodbye(redis);
    else disconnectNow(redis);
  }

  async #connect(): Promise<void> {
    const { commands, key, connectTimeoutMs, configure, prepare, onUp } = this.#options;
    const isAgain = this.#isLost;
    const redis = await commands.dedicated(key, isAgain);
    configure?.(redis);
    this.#found = undefined;
    this.#history = commands.history;
    const seen = watchErrors(redis);
    try {
      if (this.#closed) throw new Error('Connection is closed.');
      this.#connecting = redis;
      const opened = redis.connect().then(async () => {
        // The server of the first connection is the one that the connection for commands has just asked.
        if (isAgain && !commands.isCluster) await this.#requirePrimary(redis);
        await prepare(redis);
      });
      await within(connectTimeoutMs, Promise.race([opened, movedAway(redis)]), { late: () => seen.error });
      if (this.#closed || redis.status !== 'ready') throw new Error('Connection is closed.');
    } catch (thrown) {
      seen.stop();
      disconnectNow(redis);
      throw seen.error ?? thrown;
    } finally {
      this.#connecting = undefined;
    }
    redis.once('end', () => this.#lost(redis, this.#dropped ?? seen.error));
    redis.once('moved' as 'end', () => this.drop(new Error(MOVED_ERROR)));
    redis.on('error', (error: Error) => {
      // A server of a cluster ended a subscription whose channel moved: the driver knows no reply that nobody asked for.
      if (error.message.startsWith('Command queue state error')) this.drop(new Error(MOVED_ERROR));
    });
    this.#redis = redis;
    this.#upSinceMs = performance.now();
    this.#dropped = undefined;
    this.#outage.over();
    this.#isLost = false;
    if (isAgain) onUp?.();
    this.#wake(redis);
    if (this.#found !== undefined && !this.#isAt(this.#found)) this.drop(new Error(REPLICA_ERROR));
  }

  async #requirePrimary(redis: Redis): Promise<void> {
    const { role, history } = await this.#question.ask(redis);
    if (role === 'replica') throw new Error(REPLICA_ERROR);
    this.#history = history;
  }

  /**
   * Is it connected to the server that the connection for commands has come back to? If it is still with one that was demoted meanwhile,
   * nothing shows that, and events may no longer arrive. If it had moved to the new primary first, what was published to the old one is
   * lost: it reconnects, so that this is signalled. Where servers do not report a replication id, both have to be assumed.
   */
  #isAt({ history, isSame, lostAtMs }: Found): boolean {
    if (history !== undefined && this.#history !== undefined && history.id !== this.#history.id) return false;
    return isSame || this.#upSinceMs > lostAtMs;
  }

  #lost(redis: Redis, error: unknown): void {
    if (this.#redis !== redis) return;
    this.#redis = undefined;
    this.#isLost = true;
    this.#options.onDown?.(mapError(error ?? new Error('Connection is closed.')));
    this.#again(1);
  }

  #again(times: number): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#connect().catch((thrown) => {
        if (this.#closed) return;
        this.#outage.failed(mapError(thrown));
        this.#again(times + 1);
      });
    }, reconnectDelayMs(times));
    this.#retry.unref();
  }

  #wake(redis: Redis | undefined): void {
    for (const resolve of this.#waiting.splice(0)) resolve(redis);
  }
}

/** Rejects when the driver notes that a channel is elsewhere: it leaves the command unanswered then. */
function movedAway(redis: Redis): Promise<never> {
  return new Promise((_, reject) => {
    redis.once('moved' as 'end', () => reject(new Error(MOVED_ERROR)));
  });
}
