import type { Cluster, Redis } from 'ioredis';

/**
 * Asks for one entry, pending for us, of an event that stands in several streams of a group. Whoever's entry gets the turn
 * holds it as long as the lock; the others stay pending until then, and their attempts are not counted.
 */
const ENTER = `
local stream, turn, done = KEYS[1], KEYS[2], KEYS[3]
local group, consumer, id, attempt, lockMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local entry, mark = ARGV[6], ARGV[7]
if #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 0 then return 'passed' end
if redis.call('ZSCORE', done, mark) then
  redis.call('XACK', stream, group, id)
  return 'done'
end
local holder = redis.call('GET', turn)
if not holder or holder == entry then
  redis.call('SET', turn, entry, 'PX', lockMs)
  redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', 0, 'RETRYCOUNT', attempt, 'JUSTID')
  return 'won'
end
local idleMs = math.max(0, lockMs - redis.call('PTTL', turn))
redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', idleMs, 'RETRYCOUNT', attempt - 1, 'JUSTID')
return 'lost'
`;

/** Acknowledges, and remembers for as long as another entry of the event can be kept. */
const FINISH = `
local stream, turn, done = KEYS[1], KEYS[2], KEYS[3]
local group, id, entry, mark, atMs, keepMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('ZADD', done, atMs, mark)
redis.call('ZREMRANGEBYSCORE', done, '-inf', atMs - keepMs)
redis.call('PEXPIRE', done, keepMs)
redis.call('XACK', stream, group, id)
if redis.call('GET', turn) == entry then redis.call('DEL', turn) end
return 1
`;

/** Renews the lock of an entry and its turn, if both are still ours. */
const RENEW = `
local stream, turn = KEYS[1], KEYS[2]
local group, consumer, id, entry, lockMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local holder = redis.call('GET', turn)
if holder and holder ~= entry then return 0 end
if #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 0 then return 0 end
redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID')
redis.call('SET', turn, entry, 'PX', lockMs)
return 1
`;

/** The next entry that asks gets the turn. */
const LEAVE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`;

/** `passed`: the entry is no longer pending for us. `done`: the group has accepted the event, and the entry is acknowledged. */
export type Turn = 'won' | 'lost' | 'done' | 'passed';

/** One entry, the member that holds it, and the keys of the event in its group. */
export interface Contestant {
  readonly stream: string;
  readonly id: string;
  readonly group: string;
  readonly consumer: string;
  /** Key that says which entry has the turn. */
  readonly turn: string;
  /** Key of the sorted set of what the group has accepted. */
  readonly done: string;
  /** The event's name in that set. */
  readonly mark: string;
}

const nameOf = ({ stream, id }: Contestant): string => `${stream} ${id}`;

export async function enter(redis: Redis | Cluster, one: Contestant, attempt: number, lockMs: number): Promise<Turn> {
  const { stream, turn, done, group, consumer, id, mark } = one;
  const args = [group, consumer, id, attempt, lockMs, nameOf(one), mark];
  return (await redis.eval(ENTER, 3, stream, turn, done, ...args)) as Turn;
}

/** @param keepMs how long entries are kept */
export async function finish(redis: Redis | Cluster, one: Contestant, keepMs: number): Promise<void> {
  const { stream, turn, done, group, id, mark } = one;
  const atMs = id.slice(0, id.indexOf('-'));
  await redis.eval(FINISH, 3, stream, turn, done, group, id, nameOf(one), mark, atMs, keepMs);
}

/** @returns false if the entry, or the turn, has passed to another */
export async function renew(redis: Redis | Cluster, one: Contestant, lockMs: number): Promise<boolean> {
  const { stream, turn, group, consumer, id } = one;
  return (await redis.eval(RENEW, 2, stream, turn, group, consumer, id, nameOf(one), lockMs)) === 1;
}

export async function leave(redis: Redis | Cluster, one: Contestant): Promise<void> {
  await redis.eval(LEAVE, 1, one.turn, nameOf(one));
}
