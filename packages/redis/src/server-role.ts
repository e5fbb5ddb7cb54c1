import { PolycastError } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { mapError } from './map-error.ts';

/** `unknown`: the server, or the user's permissions, do not say. It is used as if it were a primary. */
export type ServerRole = 'primary' | 'replica' | 'unknown';

/** Of which data a server holds a copy. */
export interface History {
  /** A replica has its primary's, and one of its own from its promotion on. */
  readonly id: string;
  /** The primary's, from which it took over; zeros if it never did. */
  readonly idBefore: string | undefined;
}

export interface Standing {
  readonly role: ServerRole;
  /** Undefined where the server, or the user's permissions, do not say. */
  readonly history: History | undefined;
}

/**
 * Has a replica taken over meanwhile? It may be the same server, demoted and promoted again. One that was restarted, or drops an old
 * history because no replica follows it, has another history, too, but has taken over from none.
 */
export function isTakeover(before: History | undefined, now: History | undefined): boolean {
  if (before === undefined || now === undefined || before.id === now.id) return false;
  return now.idBefore !== undefined && !/^0*$/.test(now.idBefore);
}

/** What a replica does with what is published there. The first word decides the code. */
export const REPLICA_ERROR = 'READONLY the server is a replica; connect to its primary, or through Sentinel';
export const WAS_REPLICA_ERROR = 'READONLY the server was temporarily a replica';

const UNKNOWN: Standing = { role: 'unknown', history: undefined };

/**
 * Asks whether a server is a primary. A replica takes `PUBLISH` and passes it on to none but its own subscribers.
 *
 * `INFO replication` tells of takeovers, too. Where it is not allowed `HELLO` without arguments answers, which changes nothing, and
 * which every ACL user may call; servers before 6.2, and some proxies, do not know it. Each answer is a sign of life, too.
 * @see https://redis.io/docs/latest/commands/info/
 * @see https://redis.io/docs/latest/commands/hello/
 */
export class RoleQuestion {
  #ways: readonly ((redis: Redis) => Promise<Standing>)[] = [byInfo, byHello, byPing];

  /** One round trip. @throws what the connection's loss makes a command throw, and what the server refuses for now */
  async ask(redis: Redis): Promise<Standing> {
    for (;;) {
      const [way, ...others] = this.#ways;
      if (way === undefined) return UNKNOWN;
      try {
        const standing = await way(redis);
        if (standing.role !== 'unknown' || others.length === 0) return standing;
      } catch (thrown) {
        // Busy, or still loading: that says nothing about what it knows, nor about its role.
        if (!isReply(thrown) || mapError(thrown).retryable) throw thrown;
        if (others.length === 0) return UNKNOWN;
      }
      this.#ways = others;
    }
  }
}

/** Did the server itself answer with an error? */
export function isReply(thrown: unknown): boolean {
  const reply = thrown instanceof PolycastError ? thrown.cause : thrown;
  return reply instanceof Error && reply.name === 'ReplyError';
}

async function byInfo(redis: Redis): Promise<Standing> {
  const text = await redis.info('replication');
  const id = fieldOfInfo(text, 'master_replid');
  const history = id === undefined ? undefined : { id, idBefore: fieldOfInfo(text, 'master_replid2') };
  return { role: roleOf(fieldOfInfo(text, 'role')), history };
}

async function byHello(redis: Redis): Promise<Standing> {
  return { role: roleOf(fieldOf(await redis.call('HELLO'), 'role')), history: undefined };
}

async function byPing(redis: Redis): Promise<Standing> {
  await redis.ping();
  return UNKNOWN;
}

/** What `INFO` says of it. */
export function fieldOfInfo(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\w+)`, 'm').exec(text)?.[1];
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
