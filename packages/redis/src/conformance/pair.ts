import type { BreakableService, RedisServer } from '@polycast/local-services';
import { Redis } from 'ioredis';

const HOST = '127.0.0.1';
/** Longest wait until a replica follows, in ms. */
const FOLLOW_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 10;
/** The one before goes on as a primary for so long, in ms, as in a failover that reaches it last: what it takes then is lost. */
const BEHIND_MS = 100;

/** A primary and, as soon as it is to be demoted, a second server: they take over from one another. What is broken is the primary. */
export class Pair implements BreakableService {
  readonly #another: () => Promise<RedisServer>;
  #primary: RedisServer;
  #other: RedisServer | undefined;

  static async of(start: () => Promise<RedisServer>): Promise<Pair> {
    return new Pair(await start(), start);
  }

  private constructor(primary: RedisServer, another: () => Promise<RedisServer>) {
    this.#primary = primary;
    this.#another = another;
  }

  get url(): string {
    return this.#primary.url;
  }

  get port(): number {
    return this.#primary.port;
  }

  restart(): Promise<void> {
    return this.#primary.restart();
  }

  kill(): Promise<void> {
    return this.#primary.kill();
  }

  start(): Promise<void> {
    return this.#primary.start();
  }

  freeze(): Promise<void> {
    return this.#primary.freeze();
  }

  thaw(): Promise<void> {
    return this.#primary.thaw();
  }

  cut(): Promise<void> {
    return this.#primary.cut();
  }

  /**
   * The other server takes over with what it has by then. The one before becomes its replica and keeps its connections.
   */
  async demote(): Promise<{ readonly host: string; readonly port: number }> {
    this.#other ??= await this.#another();
    const heir = this.#other;
    const [of, to] = [client(this.#primary), client(heir)];
    try {
      await to.call('REPLICAOF', HOST, String(this.#primary.port));
      await follows(to);
      await to.call('REPLICAOF', 'NO', 'ONE');
      await pass(BEHIND_MS);
      await of.call('REPLICAOF', HOST, String(heir.port));
    } finally {
      of.disconnect();
      to.disconnect();
    }
    this.#other = this.#primary;
    this.#primary = heir;
    return { host: HOST, port: heir.port };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#primary.stop(), this.#other?.stop()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function client({ url }: RedisServer): Redis {
  return new Redis(url).on('error', () => {});
}

/** @throws Error if it does not within {@link FOLLOW_WITHIN_MS} */
async function follows(replica: Redis): Promise<void> {
  const untilMs = performance.now() + FOLLOW_WITHIN_MS;
  while (!(await replica.info('replication')).includes('master_link_status:up')) {
    if (performance.now() > untilMs) throw new Error('the other server does not follow the primary');
    await pass(LOOK_EVERY_MS);
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
