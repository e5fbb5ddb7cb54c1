import type { Redis } from 'ioredis';
import { isReply } from './server-role.ts';

/**
 * Whether the user may use transactions. That must be known before one is sent: where MULTI is refused the commands
 * behind it are executed one by one, and where EXEC is they wait for ever.
 */
export class TransactionRight {
  #answer: Promise<boolean> | undefined;

  /** One round trip, once. */
  isGiven(redis: Redis): Promise<boolean> {
    this.#answer ??= ask(redis).catch((thrown) => {
      this.#answer = undefined;
      throw thrown;
    });
    return this.#answer;
  }
}

async function ask(redis: Redis): Promise<boolean> {
  // Sent in one turn, so that nothing gets between. DISCARD has something to do only where EXEC was refused.
  const [multi, exec, discard] = await Promise.allSettled(['MULTI', 'EXEC', 'DISCARD'].map((name) => redis.call(name)));
  if (multi?.status === 'fulfilled' && exec?.status === 'fulfilled') return true;
  for (const { status, reason } of [multi, exec] as PromiseRejectedResult[]) {
    if (status === 'rejected' && !isReply(reason)) throw reason;
  }
  if (multi?.status === 'fulfilled' && discard?.status === 'rejected') redis.disconnect(true);
  return false;
}
