import type { Address } from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';
import type { GroupKeys } from './group-keys.ts';
import { COMMON, DURABLE_MARK, LEASE_MS, MEMBERSHIP, STREAM_GRACE_MS } from './group-lua.ts';
import { Script } from './script.ts';

/** Most memberships that one BEAT is for. */
const MAX_BEATS = 500;
/** Unread entries that are counted where the server's counts are not to be trusted, at most. */
const MAX_COUNTED = 1_000;
/** Members that a BEAT buries, at most. The next one goes on. */
const MAX_BURIED = 16;
/** How long a dead member's entries are left to those who live, before somebody looks again, ms. */
const BURIED_LATER_MS = 60_000;

/** One member, in one stream of its group. */
export interface Membership {
  readonly key: string;
  readonly address: Address;
  readonly group: string;
  readonly consumer: string;
  readonly durable: boolean;
}

/** Makes the group unless it is there, and joins it. */
const JOIN = new Script(`${COMMON}${MEMBERSHIP}
local key = KEYS[3]
local base, group, consumer, address, start, durable, keepMs, reader = unpack(ARGV)
local now = clock()
keepMs = tonumber(keepMs)
local stream = redis.call('EXISTS', key) == 1 and fields(redis.call('XINFO', 'STREAM', key)) or nil
if start ~= '$' and start ~= '0-0' and (not stream or isBefore(stream['last-generated-id'], start)) then start = '0-0' end
local create, read = { 'XGROUP', 'CREATE', key, group, start, 'MKSTREAM' }, nil
if start == '0-0' or not stream then read = 0
elseif start == '$' then read = stream['entries-added'] end
local made = { err = 'syntax' }
if read then
  table.insert(create, 'ENTRIESREAD')
  table.insert(create, read)
  made = redis.pcall(unpack(create))
end
-- Before Redis 7 nothing is counted.
if made.err and string.find(made.err, 'syntax') then made = redis.pcall('XGROUP', 'CREATE', key, group, start, 'MKSTREAM') end
if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
spare(now)
local making = redis.call('HGET', groupsKey, makingOf(address, group))
if not made.err or not making then
  local time = redis.call('TIME')
  making = time[1] .. '.' .. time[2]
  redis.call('HSET', groupsKey, makingOf(address, group), making)
end
-- Another server took over, or data was lost, while no member was there to be told.
local takeover = redis.call('HGET', groupsKey, 'takeover') or ''
local told = redis.call('HGET', groupsKey, toldNameOf(address, group)) or ''
local isUntold = made.err and told ~= takeover and 1 or 0
if told ~= takeover then redis.call('HSET', groupsKey, toldNameOf(address, group), takeover) end
if not made.err then
  redis.call('DEL', base .. '~queue:' .. group .. '@' .. address)
  redis.call('HDEL', groupsKey, lossNameOf(address, group))
end
redis.call('XGROUP', 'CREATECONSUMER', key, group, consumer)
redis.call('ZADD', membersKey, now + ${LEASE_MS}, nameOf(address, group, consumer))
if durable == '1' then
  redis.call('XGROUP', 'CREATECONSUMER', key, group, '${DURABLE_MARK}')
  redis.call('ZADD', membersKey, now + math.max(keepMs, ${LEASE_MS}), nameOf(address, group, '${DURABLE_MARK}'))
end
if reader ~= '' then redis.call('HSET', groupsKey, readerOf(group, consumer), reader) end
for _, each in ipairs({ key, membersKey, groupsKey }) do redis.call('PEXPIRE', each, keepMs + ${STREAM_GRACE_MS}) end
local found = infoOf(key, group)
if not made.err then
  -- What was gone before is not the group's loss.
  redis.call('HSET', groupsKey, lossNameOf(address, group), lossOf(fields(redis.call('XINFO', 'STREAM', key)), found) or 0)
end
return { now, making, found['last-delivered-id'], isUntold }
`);

/** Compares what the group lost with what it is known to have lost. */
const LOOK = new Script(`${COMMON}${MEMBERSHIP}
local key = KEYS[3]
local group, address, runBefore, seen, count = unpack(ARGV)
local found = infoOf(key, group)
if not found then return { -1, -1, '', '', -1, '', -1, -1 } end
spare(clock())
local run = redis.call('HGET', groupsKey, 'run') or ''
local stream = fields(redis.call('XINFO', 'STREAM', key))
local loss, mayBe, missed, last = lossOf(stream, found), 0, -1, found['last-delivered-id']
local removed = stream['entries-added'] and stream['entries-added'] - stream['length'] or -1
if seen ~= '' and run ~= runBefore and stream['entries-added'] and not isBefore(last, seen) then
  -- By the counts of who reads alone. What a reply brought that was lost is pending.
  local handed = #redis.call('XPENDING', key, group, '(' .. seen, '+', ${MAX_COUNTED} + 1)
  local unread = #redis.call('XRANGE', key, '(' .. last, '+', 'COUNT', ${MAX_COUNTED} + 1)
  if math.max(handed, unread) <= ${MAX_COUNTED} then missed = math.max(0, stream['entries-added'] - count - handed - unread) end
end
local known = tonumber(redis.call('HGET', groupsKey, lossNameOf(address, group)))
if not known then
  -- The counts of a server that came back start here. What it lost before shows by where the group stands only.
  local first = stream['first-entry'] and stream['first-entry'][1]
  local isTrimmed = missed < 0 and stream['entries-added'] and stream['entries-added'] > stream['length']
  if isTrimmed and isBefore(last, stream['last-generated-id']) and (not first or isBefore(last, first)) then mayBe = 1 end
  if not loss and found['entries-read'] then
    local unread = #redis.call('XRANGE', key, '(' .. last, '+', 'COUNT', ${MAX_COUNTED} + 1)
    if unread <= ${MAX_COUNTED} then loss = math.max(0, stream['entries-added'] - found['entries-read'] - unread) end
  end
  known = loss
end
local at, read = mayBe == 1 and last or '', found['entries-read'] or -1
if not loss then return { -1, known or -1, run, at, missed, last, read, removed } end
redis.call('HSET', groupsKey, lossNameOf(address, group), math.max(loss, known))
return { loss, known, run, at, missed, last, read, removed }
`);

/** Leaves the group; the last to leave a dynamic one takes it away. Gives the readers of some who stay with what is left. */
const LEAVE = new Script(`${COMMON}${MEMBERSHIP}
local key = KEYS[3]
local base, group, me, address, keepMs, ours = unpack(ARGV)
local now = clock()
-- A new life of ours has joined under our name already: what is there is its own.
local known = redis.call('HGET', groupsKey, readerOf(group, me))
if known and ours ~= '' and not string.find(' ' .. ours .. ' ', ' ' .. known .. ' ', 1, true) then return {} end
local living, durable, consumers = membersOf(key, address, group, me, now, tonumber(keepMs))
local readers = {}
if not living then forget(address, group, me)
elseif #living == 0 and not durable then destroy(key, base, address, group, consumers)
elseif not consumers[me] or consumers[me]['pending'] == 0 then
  redis.call('XGROUP', 'DELCONSUMER', key, group, me)
  forget(address, group, me)
else
  redis.call('ZADD', membersKey, -now, nameOf(address, group, me))
  redis.call('HDEL', groupsKey, readerOf(group, me))
  for at = 1, math.min(4, #living) do
    local reader = redis.call('HGET', groupsKey, readerOf(group, living[at]))
    if reader then table.insert(readers, reader) end
  end
end
tidy(key)
return readers
`);

/** The last entry that the stream has, and whether somebody else is there to read it. */
const TARGET = new Script(`${COMMON}${MEMBERSHIP}
local key = KEYS[3]
local group, me, address, keepMs = unpack(ARGV)
local stream = redis.pcall('XINFO', 'STREAM', key)
if stream.err then return { 0, '0-0' } end
local living = membersOf(key, address, group, me, clock(), tonumber(keepMs))
return { living and #living or 0, fields(stream)['last-generated-id'] }
`);

/**
 * A sign of life for all memberships of a link, and what became of their groups. Buries the dead: a score above 0 is the time
 * when a lease ends; minus the time when a dead member that held entries is looked at again, below.
 */
const BEAT = new Script(`${COMMON}${MEMBERSHIP}
local base, keepMs, refresh, bury, strangers = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1', ARGV[5] == '1'
local now = clock()
local touched, names, groupsOf = {}, {}, {}
for at = 6, #ARGV, 4 do
  local address, group, consumer, durable = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  table.insert(touched, now + ${LEASE_MS})
  table.insert(touched, nameOf(address, group, consumer))
  if durable == '1' then
    table.insert(touched, now + math.max(keepMs, ${LEASE_MS}))
    table.insert(touched, nameOf(address, group, '${DURABLE_MARK}'))
  end
  table.insert(names, makingOf(address, group))
  if not groupsOf[address] then
    local all, found = redis.pcall('XINFO', 'GROUPS', base .. address), {}
    if not all.err then
      for _, flat in ipairs(all) do
        local each = fields(flat)
        found[each['name']] = each
        if strangers and string.sub(each['name'], 1, 9) == 'polycast:' and each['consumers'] == 0 then
          redis.call('XGROUP', 'DESTROY', base .. address, each['name'])
        elseif strangers and string.sub(each['name'], 1, 9) == 'polycast:' then
          membersOf(base .. address, address, each['name'], '', now, keepMs)
        end
      end
    end
    groupsOf[address] = found
    if refresh then redis.call('PEXPIRE', base .. address, keepMs + ${STREAM_GRACE_MS}) end
  end
  if refresh then redis.call('PEXPIRE', base .. '~queue:' .. group .. '@' .. address, keepMs + ${STREAM_GRACE_MS}) end
end
redis.call('ZADD', membersKey, unpack(touched))
local takeover = redis.call('HGET', groupsKey, 'takeover')
if takeover then
  -- Whoever lives learned of it from its own connection.
  for at = 6, #ARGV, 4 do redis.call('HSET', groupsKey, toldNameOf(ARGV[at], ARGV[at + 1]), takeover) end
end
local makings, states = redis.call('HMGET', groupsKey, unpack(names)), {}
for number, making in ipairs(makings) do
  local at = 6 + (number - 1) * 4
  local found = groupsOf[ARGV[at]][ARGV[at + 1]]
  if not found then table.insert(states, { '' })
  else
    local read = tostring(found['entries-read'] or '') .. ' ' .. tostring(found['lag'] or '')
    table.insert(states, { making or '', found['pending'], read })
  end
end
if refresh then
  for _, each in ipairs({ membersKey, groupsKey }) do redis.call('PEXPIRE', each, keepMs + ${STREAM_GRACE_MS}) end
end
if bury then
  local dead = redis.call('ZRANGEBYSCORE', membersKey, -now, now, 'LIMIT', 0, ${MAX_BURIED})
  if #dead > 0 and not spare(now) then
    for _, name in ipairs(dead) do
      local address, group, consumer = string.match(name, '^([^\\n]*)\\n([^\\n]*)\\n(.*)$')
      local key = base .. address
      local living, durable, consumers = membersOf(key, address, group, '', now, keepMs)
      if not living then
        forget(address, group, consumer)
        redis.call('HDEL', groupsKey, makingOf(address, group), lossNameOf(address, group), toldNameOf(address, group))
      elseif #living == 0 and not durable then destroy(key, base, address, group, consumers)
      elseif consumer == '${DURABLE_MARK}' then redis.call('ZADD', membersKey, now + keepMs, name)
      elseif not consumers[consumer] or consumers[consumer]['pending'] == 0 then
        redis.call('XGROUP', 'DELCONSUMER', key, group, consumer)
        forget(address, group, consumer)
      else redis.call('ZADD', membersKey, -(now + ${BURIED_LATER_MS}), name) end
      tidy(key)
    end
  end
end
return { now, states }
`);

/** Leaves word of a takeover for groups that have no member now. */
const TAKEOVER = new Script(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'takeover', ARGV[1]) end
`);

/** Renews the lock of an entry if it is still ours. */
const RENEW = new Script(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
return 1
`);

export interface Joined {
  /** By the server's clock, epoch ms. */
  readonly serverMs: number;
  /** Which making of the group it is: another one has forgotten everything. */
  readonly making: string;
  /** Last entry that the group was handed. */
  readonly lastId: string;
  /** Since a member of the group was last told, another server has taken over, or lost data: it may lack what the group had not read. */
  readonly isUntold: boolean;
}

/** @param reader of the connection that reads for us, as CLIENT UNBLOCK takes it */
export async function join(
  redis: Redis | Cluster,
  keys: GroupKeys,
  one: Membership,
  options: { readonly start: string; readonly keepMs: number; readonly reader: number | undefined },
): Promise<Joined> {
  const { start, keepMs, reader } = options;
  const args = [one.group, one.consumer, one.address, start, one.durable ? '1' : '0', keepMs, reader ?? ''];
  const reply = await JOIN.run(redis, [keys.members, keys.groups, one.key], [keys.base, ...args]);
  const [serverMs, making, lastId, isUntold] = reply as [number, string, string, number];
  return { serverMs, making, lastId, isUntold: isUntold === 1 };
}

/**
 * Leaves word that another server took over, or lost data, for groups whose members are all away: they are told when they return.
 * @param takeover names it, the same for everybody who notices it
 */
export async function recordTakeover(redis: Redis | Cluster, keys: GroupKeys, takeover: string): Promise<void> {
  await TAKEOVER.run(redis, [keys.groups], [takeover]);
}

export interface Loss {
  /** Entries that the group lost to trimming; undefined while that cannot be known: in the middle of what is unread, and before Redis 7. */
  readonly lost: number | undefined;
  /** How many losses were known of before we looked; undefined if nobody has counted in this run of the server. */
  readonly known: number | undefined;
  /** The run of the server by whose counts it is. */
  readonly run: string;
  /** It may have lost others, of which nothing is counted, behind this entry; else empty. */
  readonly mayBeBehind: string;
  /** Entries that were trimmed unread, by our own count, while the server may have forgotten its own; undefined if it cannot be told. */
  readonly missed: number | undefined;
  /** Last entry that the group was handed, and how many it was handed until then, as the server counts; undefined if it does not. */
  readonly lastId: string;
  readonly read: number | undefined;
  /** Entries that were ever removed from the stream; undefined if the server does not count. */
  readonly removed: number | undefined;
}

/** How far a stream was accounted for. */
export interface UpTo {
  readonly id: string;
  /** Entries ever added up to there. */
  readonly count: number;
}

/** @param own what we counted by ourselves, who read alone, and the server's run when we looked last */
export async function look(
  redis: Redis | Cluster,
  keys: GroupKeys,
  { key, group, address }: Membership,
  own: { readonly run: string | undefined; readonly upTo: UpTo | undefined },
): Promise<Loss> {
  const args = [group, address, own.run ?? '', own.upTo?.id ?? '', own.upTo?.count ?? 0];
  const reply = await LOOK.run(redis, [keys.members, keys.groups, key], args);
  const [lost, known, run, mayBeBehind, missed, lastId, read, removed] = reply as [
    number,
    number,
    string,
    string,
    number,
    string,
    number,
    number,
  ];
  const told = (count: number) => (count < 0 ? undefined : count);
  return {
    lost: told(lost),
    known: told(known),
    run,
    mayBeBehind,
    missed: told(missed),
    lastId,
    read: told(read),
    removed: told(removed),
  };
}

/**
 * @param options.readers all that the server may know as ours
 * @returns readers of members that stay, if we leave them something
 */
export async function leave(
  redis: Redis | Cluster,
  keys: GroupKeys,
  one: Membership,
  options: { readonly keepMs: number; readonly readers: readonly number[] },
): Promise<readonly string[]> {
  const args = [keys.base, one.group, one.consumer, one.address, options.keepMs, options.readers.join(' ')];
  return (await LEAVE.run(redis, [keys.members, keys.groups, one.key], args)) as string[];
}

/** @returns the id of the last entry so far; undefined if another member is there to read it */
export async function target(
  redis: Redis | Cluster,
  keys: GroupKeys,
  { key, group, consumer, address }: Membership,
  keepMs: number,
): Promise<string | undefined> {
  const reply = await TARGET.run(redis, [keys.members, keys.groups, key], [group, consumer, address, keepMs]);
  const [others, lastId] = reply as [number, string];
  return others > 0 ? undefined : lastId;
}

/** What a BEAT finds of one membership. */
export interface GroupState {
  /** Empty if there is no such group (any more). */
  readonly making: string;
  readonly pending: number;
  /** Changes with what was read and what was lost; a space while the server does not count. */
  readonly progress: string;
}

export interface BeatOptions {
  readonly keepMs: number;
  /** Keep the streams from expiring. */
  readonly refresh: boolean;
  /** Take away what the dead left. */
  readonly bury: boolean;
  /** Look at groups of which no account is kept, too. */
  readonly strangers: boolean;
}

/** @returns a state for each, in their order */
export async function beat(
  redis: Redis | Cluster,
  keys: GroupKeys,
  all: readonly Membership[],
  options: BeatOptions,
): Promise<{ readonly serverMs: number; readonly states: readonly GroupState[] }> {
  const states: GroupState[] = [];
  let serverMs = 0;
  for (let from = 0; from < all.length; from += MAX_BEATS) {
    const some = all.slice(from, from + MAX_BEATS);
    const flags = [options.refresh, options.bury && from === 0, options.strangers && from === 0];
    const args = some.flatMap(({ address, group, consumer, durable }) => [address, group, consumer, durable ? 1 : 0]);
    const keysOfAll = [keys.members, keys.groups, ...new Set(some.map(({ key }) => key))];
    const reply = await BEAT.run(redis, keysOfAll, [
      keys.base,
      options.keepMs,
      ...flags.map((flag) => (flag ? 1 : 0)),
      ...args,
    ]);
    const [nowMs, found] = reply as [number, [string, number?, string?][]];
    serverMs = nowMs;
    for (const [making, pending = 0, progress = ''] of found) states.push({ making, pending, progress });
  }
  return { serverMs, states };
}

/** @returns false if the entry has passed to another consumer, or was settled */
export async function renew(
  redis: Redis | Cluster,
  key: string,
  group: string,
  consumer: string,
  id: string,
): Promise<boolean> {
  return (await RENEW.run(redis, [key], [group, consumer, id])) === 1;
}
