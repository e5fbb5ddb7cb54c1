import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** A script that the server keeps: sent whole only where the server does not have it yet. */
export class Script {
  readonly #text: string;
  readonly #sha1: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex');
  }

  /** The first command is sent before it returns. */
  async run(redis: Redis | Cluster, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha1, keys.length, ...keys, ...args);
    } catch (thrown) {
      if (!(thrown instanceof Error) || !thrown.message.startsWith('NOSCRIPT')) throw thrown;
      return redis.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}
