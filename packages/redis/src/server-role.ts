import { PolycastError } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { mapError } from './map-error.ts';

/** `unknown`: the server, or the user's permissions, do not say. It is used as if it were a primary. */
export type ServerRole = 'primary' | 'replica' | 'unknown';

/** What a replica does with what is published there. The first word decides the code. */
export const REPLICA_ERROR = 'READONLY the server is a replica; connect to its primary, or through Sentinel';

/**
 * Asks whether a server is a primary. A replica takes `PUBLISH` and passes it on to none but its own subscribers.
 *
 * `HELLO` without arguments changes nothing, and every ACL user may call it; servers before 6.2, and some proxies, do
 * not know it: there `INFO replication` answers, if the user may call that. Each answer is a sign of life, too.
 * @see https://redis.io/docs/latest/commands/hello/
 */
export class RoleQuestion {
  #ways: readonly ((redis: Redis) => Promise<ServerRole>)[] = [byHello, byInfo, byPing];

  /** One round trip. @throws what the connection's loss makes a command throw, and what the server refuses for now */
  async ask(redis: Redis): Promise<ServerRole> {
    for (;;) {
      const [way, ...others] = this.#ways;
      if (way === undefined) return 'unknown';
      try {
        return await way(redis);
      } catch (thrown) {
        // Busy, or still loading: that says nothing about what it knows, nor about its role.
        if (!isReply(thrown) || mapError(thrown).retryable) throw thrown;
        if (others.length === 0) return 'unknown';
        this.#ways = others;
      }
    }
  }
}

/** Did the server itself answer with an error? */
export function isReply(thrown: unknown): boolean {
  const reply = thrown instanceof PolycastError ? thrown.cause : thrown;
  return reply instanceof Error && reply.name === 'ReplyError';
}

async function byHello(redis: Redis): Promise<ServerRole> {
  return roleOf(fieldOf(await redis.call('HELLO'), 'role'));
}

async function byInfo(redis: Redis): Promise<ServerRole> {
  return roleOf(/^role:(\w+)/m.exec(await redis.info('replication'))?.[1]);
}

async function byPing(redis: Redis): Promise<ServerRole> {
  await redis.ping();
  return 'unknown';
}

function roleOf(word: unknown): ServerRole {
  if (word === 'master' || word === 'primary') return 'primary';
  return word === 'replica' || word === 'slave' ? 'replica' : 'unknown';
}

/** Of a reply in RESP2 (names and values in turn) or RESP3 (a map). */
function fieldOf(reply: unknown, name: string): unknown {
  if (Array.isArray(reply)) return reply[reply.indexOf(name) + 1 || reply.length];
  if (reply instanceof Map) return reply.get(name);
  return typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>)[name] : undefined;
}
