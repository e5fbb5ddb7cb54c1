import type { Cluster, Redis } from 'ioredis';

/** Name of the consumer that marks a group as durable. It never reads. */
export const DURABLE_MARK = '~durable';
/** Dynamic groups whose consumers were all silent for this long belong to nobody any more, in ms. */
export const ORPHANED_AFTER_MS = 60_000;

const FIELDS = `
local function fields(flat)
  local named = {}
  for at = 1, #flat, 2 do named[flat[at]] = flat[at + 1] end
  return named
end
local function consumers(key, group)
  local all = {}
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do table.insert(all, fields(flat)) end
  return all
end
local function dropIfUnused(key)
  if redis.call('XLEN', key) == 0 and #redis.call('XINFO', 'GROUPS', key) == 0 then redis.call('DEL', key) end
end
`;

/**
 * Makes the group unless it is there, and joins it. Gives whether it was made, the id it has read up to, and how many
 * entries it never read were trimmed.
 */
const JOIN = `${FIELDS}
local key, group, consumer, start, durable, keepMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local made = redis.pcall('XGROUP', 'CREATE', key, group, start, 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
redis.call('XGROUP', 'CREATECONSUMER', key, group, consumer)
if durable == '1' then redis.call('XGROUP', 'CREATECONSUMER', key, group, '${DURABLE_MARK}') end
if redis.call('PTTL', key) < tonumber(keepMs) / 2 then redis.call('PEXPIRE', key, keepMs) end
local stream = fields(redis.call('XINFO', 'STREAM', key))
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local found = fields(flat)
  if found['name'] == group then
    local lost = 0
    if found['entries-read'] and stream['entries-added'] then
      lost = stream['entries-added'] - stream['length'] - found['entries-read']
    end
    local first = stream['first-entry'] and stream['first-entry'][1] or ''
    return { made.err and 0 or 1, found['last-delivered-id'], lost, first }
  end
end
return { 0, '0-0', 0, '' }
`;

/** Leaves the group; the last to leave a dynamic one takes it away. */
const LEAVE = `${FIELDS}
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
if redis.call('EXISTS', key) == 0 then return 0 end
local others, pending, durable = 0, 0, false
for _, consumer in ipairs(consumers(key, group)) do
  if consumer['name'] == '${DURABLE_MARK}' then durable = true
  elseif consumer['name'] == me then pending = consumer['pending']
  elseif consumer['idle'] < ${ORPHANED_AFTER_MS} then others = others + 1 end
end
if others == 0 and not durable then
  redis.call('XGROUP', 'DESTROY', key, group)
  dropIfUnused(key)
  if KEYS[2] then redis.call('DEL', KEYS[2]) end
elseif pending == 0 then redis.call('XGROUP', 'DELCONSUMER', key, group, me) end
return 1
`;

/** Takes away groups, and consumers that hold nothing, that were silent for too long. */
const SWEEP = `${FIELDS}
local key, keepMs = KEYS[1], tonumber(ARGV[1])
if redis.call('EXISTS', key) == 0 then return 0 end
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local group = fields(flat)['name']
  local kind = string.sub(group, 1, 9)
  if kind == 'polycast:' then
    local all, youngest, durable = consumers(key, group), math.huge, false
    for _, consumer in ipairs(all) do
      if consumer['name'] == '${DURABLE_MARK}' then durable = true
      else youngest = math.min(youngest, consumer['idle']) end
    end
    if youngest > (durable and keepMs or ${ORPHANED_AFTER_MS}) and (not durable or youngest < math.huge) then
      redis.call('XGROUP', 'DESTROY', key, group)
    else
      for _, consumer in ipairs(all) do
        if consumer['name'] ~= '${DURABLE_MARK}' and consumer['pending'] == 0 and consumer['idle'] > ${ORPHANED_AFTER_MS} and not durable then
          redis.call('XGROUP', 'DELCONSUMER', key, group, consumer['name'])
        end
      end
    end
  end
end
dropIfUnused(key)
return 1
`;

/** Renews the lock of an entry if it is still ours. */
const RENEW = `
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
return 1
`;

export interface Joined {
  readonly made: boolean;
  /** Last entry that the group was handed. */
  readonly lastId: string;
  /** Entries trimmed before the group read them, as far as the server counts. */
  readonly lost: number;
  /** Id of the oldest entry kept; empty if there is none. */
  readonly firstId: string;
}

export async function join(
  redis: Redis | Cluster,
  key: string,
  member: { group: string; consumer: string; start: string; durable: boolean; keepMs: number },
): Promise<Joined> {
  const { group, consumer, start, durable, keepMs } = member;
  const reply = await redis.eval(JOIN, 1, key, group, consumer, start, durable ? '1' : '0', String(keepMs));
  const [made, lastId, lost, firstId] = reply as [number, string, number, string];
  return { made: made === 1, lastId, lost: Math.max(0, lost), firstId };
}

/** @param beside a key that goes with the group */
export async function leave(
  redis: Redis | Cluster,
  key: string,
  group: string,
  consumer: string,
  beside?: string,
): Promise<void> {
  const keys = beside === undefined ? [key] : [key, beside];
  await redis.eval(LEAVE, keys.length, ...keys, group, consumer);
}

export async function sweep(redis: Redis | Cluster, key: string, keepMs: number): Promise<void> {
  await redis.eval(SWEEP, 1, key, String(keepMs));
}

/** @returns false if the entry has passed to another consumer, or was settled */
export async function renew(
  redis: Redis | Cluster,
  key: string,
  group: string,
  consumer: string,
  id: string,
): Promise<boolean> {
  return (await redis.eval(RENEW, 1, key, group, consumer, id)) === 1;
}
