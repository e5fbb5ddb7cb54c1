import type { Cluster, Redis } from 'ioredis';
import { COMMON, IDLE_FOREVER_MS, QUEUE } from './group-lua.ts';
import { Script } from './script.ts';
import type { RawEntry } from './stream-reader.ts';

/** Expired entries that one CLAIM looks at, and others that it looks at to learn when the next one expires. */
const MAX_LOOKED_AT = 64;

/** Entries of one partition key that are handed over with the first, at most, and their bytes, roughly. */
export const MAX_FOLLOWERS = 16;
export const MAX_FOLLOWER_BYTES = 262_144;

/** One stream of a group, and who asks. */
export interface Place {
  readonly key: string;
  /** Key of the queues of partition keys. */
  readonly queue: string;
  readonly group: string;
  readonly consumer: string;
  /** How long queues are kept that nobody writes to, ms. */
  readonly keepMs: number;
  /** Do partition keys matter? They do not where one member gets everything. */
  readonly keyed: boolean;
}

/** An entry that is ours now. */
export interface Handed {
  readonly entry: RawEntry;
  /** How often a handler was given it, this time included. */
  readonly attempt: number;
  /** Further ones of its partition key, in order. They are ours once it is settled, and were never handed out. */
  readonly followers: readonly RawEntry[];
}

const PARTS = `${COMMON}
local key, queue = KEYS[1], KEYS[2]
local group, me, keepMs, keyed = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
${QUEUE}
local function hand(id, count)
  return redis.call('XCLAIM', key, group, me, 0, id, 'RETRYCOUNT', count)[1]
end
local function drop(id)
  redis.call('XACK', key, group, id)
end
`;

/** Which of the entries just read, pending for us, may start: the attempt of each, 0 for those that must wait. */
const ENTER = new Script(`${PARTS}
local known, attempts = {}, {}
for at = 5, #ARGV, 2 do known[ARGV[at]] = ARGV[at + 1] ~= '' and redis.sha1hex(string.sub(ARGV[at + 1], 2)) end
register(known)
for at = 5, #ARGV, 2 do
  local id, attempt = ARGV[at], 0
  local hash = known[id]
  if hash then
    local head, pending = headOf(hash)
    -- One that counts was handed to us already, by another reply.
    if head == id and pending.owner == me and pending.count == 0 then
      attempt = 1
      redis.call('XCLAIM', key, group, me, 0, id, 'RETRYCOUNT', 1, 'JUSTID')
    end
  else attempt = 1 end
  table.insert(attempts, attempt)
end
return { redis.call('ZCARD', queue), attempts, lost }
`);

/**
 * Acknowledges entries with a partition key. What comes next of each key is handed to us, with some that follow, so that a
 * key with a backlog stays where it is and nobody has to be woken; a member that stops leaves it to whoever looks first.
 */
const FINISH = new Script(`${PARTS}
local replies, gone = {}, 0
local take = ARGV[5] == '1'
local function followersOf(hash)
  local followers, bytes = {}, 0
  local members = redis.call('ZRANGEBYLEX', queue, '[' .. hash .. '0', '(' .. hash .. ':', 'LIMIT', 1, ${MAX_FOLLOWERS})
  for _, member in ipairs(members) do
    local id = idOf(member)
    local pending = pendingAt(id)
    if not pending or pending.count > 0 then break end
    local entry = hand(id, 0)
    if not entry then break end
    table.insert(followers, entry)
    for _, field in ipairs(entry[2]) do bytes = bytes + #field end
    if bytes > ${MAX_FOLLOWER_BYTES} then break end
  end
  return followers
end
for at = 6, #ARGV, 3 do
  local id, hash, wanted = ARGV[at], redis.sha1hex(ARGV[at + 1]), ARGV[at + 2] == '1'
  redis.call('XACK', key, group, id)
  redis.call('ZREM', queue, hash .. padded(id))
  while true do
    local head, pending = headOf(hash)
    if not head or (pending.count > 0 and pending.owner ~= me) then break end
    if not wanted and pending.owner == me then
      -- Handed on already: it followed the settled one.
      if pending.count == 0 then redis.call('XCLAIM', key, group, me, 0, head, 'RETRYCOUNT', 1, 'JUSTID') end
      break
    end
    if take then
      -- Ours already: the reply that handed it to us was lost. Unless we gave it back.
      if pending.count > 0 and pending.idle >= ${IDLE_FOREVER_MS} then break end
      local entry = hand(head, math.max(1, pending.count))
      if entry then
        table.insert(replies, { math.max(1, pending.count), entry, followersOf(hash) })
        break
      end
      drop(head)
    elseif pending.count > 0 then break
    else
      local kept = redis.call('XCLAIM', key, group, pending.owner, 0, head, 'IDLE', ${IDLE_FOREVER_MS}, 'RETRYCOUNT', 0, 'JUSTID')
      if #kept > 0 then break end
    end
    gone = gone + 1
  end
end
return { gone, replies }
`);

/** Entries whose lock ran out, or that were given back. Of a partition key only the first is passed on. */
const CLAIM = new Script(`${PARTS}
local lockMs, room = tonumber(ARGV[5]), tonumber(ARGV[6])
local handed, gone, more, registered, dueMs = {}, 0, 0, false, -1
local expired = redis.call('XPENDING', key, group, 'IDLE', lockMs, '-', '+', ${MAX_LOOKED_AT})
for _, pending in ipairs(expired) do
  local id, owner, count = pending[1], pending[2], pending[4]
  if #handed >= room then
    more = 1
    break
  end
  local entry = redis.call('XRANGE', key, id, id)[1]
  if not entry then
    drop(id)
    gone = gone + 1
  else
    local hash = keyed and hashOf(entry[2])
    if hash then
      -- Resets the count of what nobody told of: nobody was handed it.
      if not registered then register({}) end
      registered = true
      local now = pendingAt(id)
      count = now and now.count or count
    end
    if hash and headOf(hash) ~= id then
      -- It waits. When its lock would have run out it is looked at again, lest it hides others until then.
      redis.call('XCLAIM', key, group, owner, 0, id, 'RETRYCOUNT', count, 'JUSTID')
    else
      redis.call('XCLAIM', key, group, me, 0, id, 'RETRYCOUNT', count + 1, 'JUSTID')
      local isOurs = owner == me and pending[3] < ${IDLE_FOREVER_MS / 2}
      table.insert(handed, { count + 1, entry, {}, isOurs and 1 or 0 })
    end
  end
end
if #expired == ${MAX_LOOKED_AT} then more = 1 end
for _, pending in ipairs(redis.call('XPENDING', key, group, '-', '+', ${MAX_LOOKED_AT})) do
  local leftMs = lockMs - pending[3]
  if leftMs > 0 and (dueMs < 0 or leftMs < dueMs) then dueMs = leftMs end
end
return { gone + lost, handed, more, dueMs }
`);

/** Entries that are pending for us and that we do not hold: with the attempt that each is to be, 0 for as it is. */
const TAKE = new Script(`${PARTS}
local handed, gone, registered = {}, 0, false
for at = 5, #ARGV, 2 do
  local id, attempt = ARGV[at], tonumber(ARGV[at + 1])
  local pending = pendingAt(id)
  if pending and pending.owner == me then
    local entry = redis.call('XRANGE', key, id, id)[1]
    if not entry then
      drop(id)
      gone = gone + 1
    else
      local hash = keyed and hashOf(entry[2])
      if hash then
        if not registered then register({}) end
        registered = true
        pending = pendingAt(id)
      end
      if not hash or headOf(hash) == id then
        if attempt == 0 or pending.count == 0 then attempt = math.max(1, pending.count) end
        redis.call('XCLAIM', key, group, me, 0, id, 'RETRYCOUNT', attempt, 'JUSTID')
        table.insert(handed, { attempt, entry })
      end
    end
  end
end
return { gone + lost, handed }
`);

type HandedReply = readonly (readonly [
  attempt: number,
  entry: RawEntry,
  followers?: readonly RawEntry[],
  wasOurs?: number,
])[];

const partsOf = ({ group, consumer, keepMs, keyed }: Place) => [group, consumer, keepMs, keyed ? 1 : 0];
const keysOf = ({ key, queue }: Place) => [key, queue];
const handedOf = (reply: HandedReply): readonly Handed[] =>
  reply.map(([attempt, entry, followers = []]) => ({ attempt, entry, followers }));

/**
 * @param read all that one read brought from the stream, in its order, with the partition keys
 * @returns the attempt of each, 0 for what waits; how many entries with a key the group has not settled; and how many were trimmed
 */
export async function enter(
  redis: Redis | Cluster,
  place: Place,
  read: readonly (readonly [id: string, key: string | undefined])[],
): Promise<{ readonly waiting: number; readonly attempts: readonly number[]; readonly gone: number }> {
  const args = read.flatMap(([id, key]) => [id, key === undefined ? '' : `=${key}`]);
  const reply = await ENTER.run(redis, keysOf(place), [...partsOf(place), ...args]);
  const [waiting, attempts, gone] = reply as [number, number[], number];
  return { waiting, attempts, gone };
}

/**
 * @param settled with 1 if what comes next of the key is wanted, 0 if it was handed on already
 * @param take is anything handed on any more?
 */
export async function finish(
  redis: Redis | Cluster,
  place: Place,
  settled: readonly (readonly [id: string, key: string, wanted: 0 | 1])[],
  take: boolean,
): Promise<{ readonly gone: number; readonly handed: readonly Handed[] }> {
  const args = [...partsOf(place), take ? 1 : 0, ...settled.flat()];
  const [gone, handed] = (await FINISH.run(redis, keysOf(place), args)) as [number, HandedReply];
  return { gone, handed: handedOf(handed) };
}

export interface Claimed {
  /** Trimmed while somebody held them. */
  readonly gone: number;
  /** `wasOurs`: pending for us already, and not given back. */
  readonly handed: readonly (Handed & { readonly wasOurs: boolean })[];
  /** Is there more to claim? */
  readonly more: boolean;
  /** When the next lock runs out unless it is renewed, ms from now; undefined if nothing else is held. */
  readonly dueMs: number | undefined;
}

/** @param room how many we take; with none we only learn when to ask again */
export async function claim(redis: Redis | Cluster, place: Place, lockMs: number, room: number): Promise<Claimed> {
  const reply = await CLAIM.run(redis, keysOf(place), [...partsOf(place), lockMs, room]);
  const [gone, handed, more, dueMs] = reply as [number, HandedReply, number, number];
  const claimed = handedOf(handed).map((one, at) => ({ ...one, wasOurs: handed[at]?.[3] === 1 }));
  return { gone, handed: claimed, more: more === 1, dueMs: dueMs < 0 ? undefined : dueMs };
}

/** @param wanted ids, each with the attempt it is to be; 0: what the server counts is right */
export async function take(
  redis: Redis | Cluster,
  place: Place,
  wanted: readonly (readonly [id: string, attempt: number])[],
): Promise<{ readonly gone: number; readonly handed: readonly Handed[] }> {
  const [gone, handed] = (await TAKE.run(redis, keysOf(place), [...partsOf(place), ...wanted.flat()])) as [
    number,
    HandedReply,
  ];
  return { gone, handed: handedOf(handed) };
}

/** What may start, of what was read, each with those of its partition key that come right behind it. */
export function withFollowers(
  read: readonly RawEntry[],
  keys: readonly (readonly [id: string, key: string | undefined])[],
  attempts: readonly number[],
): readonly Handed[] {
  const handed: Handed[] = [];
  const chains = new Map<string, { readonly followers: RawEntry[]; bytes: number }>();
  for (let at = 0; at < read.length; at++) {
    const entry = read[at] as RawEntry;
    const attempt = attempts[at] as number;
    const key = keys[at]?.[1];
    if (attempt > 0) {
      const followers: RawEntry[] = [];
      handed.push({ entry, attempt, followers });
      if (key !== undefined) chains.set(key, { followers, bytes: 0 });
      continue;
    }
    const chain = chains.get(key as string);
    if (chain === undefined) continue;
    chain.followers.push(entry);
    for (const field of entry[1] ?? []) chain.bytes += field.length;
    // The rest is the server's.
    if (chain.followers.length >= MAX_FOLLOWERS || chain.bytes > MAX_FOLLOWER_BYTES) {
      chains.delete(key as string);
    }
  }
  return handed;
}
