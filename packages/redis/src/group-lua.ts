/** Name of the consumer that marks a group as durable. It never reads. */
export const DURABLE_MARK = '~durable';
/** Idle time given to an entry that was put back, in ms: longer than any lock. */
export const IDLE_FOREVER_MS = 2 ** 40;
/** A member that was silent for this long is dead, in ms. */
export const LEASE_MS = 60_000;
/** A stream outlives the last word of its groups, and of its publishers, by this, in ms. */
export const STREAM_GRACE_MS = 600_000;

/** What the scripts have in common. Any of them may run on a server that knows nothing of the group any more. */
export const COMMON = `
local function fields(flat)
  local named = {}
  for at = 1, #flat, 2 do named[flat[at]] = flat[at + 1] end
  return named
end
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function infoOf(key, group)
  local all = redis.pcall('XINFO', 'GROUPS', key)
  if all.err then return nil end
  for _, flat in ipairs(all) do
    local found = fields(flat)
    if found['name'] == group then return found end
  end
  return nil
end
local function isBefore(left, right)
  local leftMs, leftSeq = string.match(left, '^(%d+)-(%d+)$')
  local rightMs, rightSeq = string.match(right, '^(%d+)-(%d+)$')
  if leftMs ~= rightMs then return tonumber(leftMs) < tonumber(rightMs) end
  if #leftSeq ~= #rightSeq then return #leftSeq < #rightSeq end
  return leftSeq < rightSeq
end
-- Entries trimmed unread since the group was made: nil where that cannot be known now.
local function lossOf(stream, group)
  local read, added, length = group['entries-read'], stream['entries-added'], stream['length']
  if not read or not added then return nil end
  local last, first = group['last-delivered-id'], stream['first-entry'] and stream['first-entry'][1]
  local unread
  if not isBefore(last, stream['last-generated-id']) then unread = 0
  elseif not first or isBefore(last, first) then unread = length
  else return nil end
  return math.max(0, added - read - unread)
end
`;

/**
 * Membership. A group is made, counted on and taken away by these alone. A consumer that nobody keeps account of, as after
 * the loss of our keys, is given time to come forward.
 */
export const MEMBERSHIP = `
local membersKey, groupsKey = KEYS[1], KEYS[2]
local function nameOf(address, group, consumer) return address .. '\\n' .. group .. '\\n' .. consumer end
local function readerOf(group, consumer) return 'reader\\n' .. group .. '\\n' .. consumer end
local function makingOf(address, group) return 'made\\n' .. address .. '\\n' .. group end
local function lossNameOf(address, group) return 'lost\\n' .. address .. '\\n' .. group end
local function toldNameOf(address, group) return 'told\\n' .. address .. '\\n' .. group end
local function tidy(key)
  if redis.call('EXISTS', key) == 1 and redis.call('XLEN', key) == 0 and #redis.call('XINFO', 'GROUPS', key) == 0 then
    redis.call('DEL', key)
  end
  if redis.call('EXISTS', membersKey) == 0 then redis.call('DEL', groupsKey) end
end
local function forget(address, group, consumer)
  redis.call('ZREM', membersKey, nameOf(address, group, consumer))
  redis.call('HDEL', groupsKey, readerOf(group, consumer))
end
-- Who is in a group: whether somebody other than \`me\` lives, whether it is to be kept anyway, and the consumers.
local function membersOf(key, address, group, me, now, keepMs)
  local all = redis.pcall('XINFO', 'CONSUMERS', key, group)
  if all.err then return nil end
  local living, durable, consumers = {}, false, {}
  for _, flat in ipairs(all) do
    local consumer = fields(flat)
    local name = consumer['name']
    consumers[name] = consumer
    local score = redis.call('ZSCORE', membersKey, nameOf(address, group, name))
    if not score then
      score = now + (name == '${DURABLE_MARK}' and math.max(keepMs, ${LEASE_MS}) or ${LEASE_MS})
      if name ~= me then redis.call('ZADD', membersKey, score, nameOf(address, group, name)) end
    end
    if tonumber(score) > now then
      if name == '${DURABLE_MARK}' then durable = true
      elseif name ~= me then table.insert(living, name) end
    end
  end
  return living, durable, consumers
end
local function destroy(key, base, address, group, consumers)
  redis.call('XGROUP', 'DESTROY', key, group)
  redis.call('DEL', base .. '~queue:' .. group .. '@' .. address)
  for name in pairs(consumers) do forget(address, group, name) end
  redis.call('HDEL', groupsKey, makingOf(address, group), lossNameOf(address, group), toldNameOf(address, group))
end
-- After a restart or a failover of the server nobody has had the chance to give a sign of life. And it may not remember how far
-- groups have read (https://github.com/redis/redis: XREADGROUP is written to the log as XCLAIM, which does not count).
local function spare(now)
  local info = redis.pcall('INFO', 'server')
  if type(info) ~= 'string' then return false end
  local run = string.match(info, 'run_id:(%x+)')
  if not run or redis.call('HGET', groupsKey, 'run') == run then return false end
  redis.call('HSET', groupsKey, 'run', run)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', membersKey, 0, now)) do
    redis.call('ZADD', membersKey, now + ${LEASE_MS}, name)
  end
  for _, field in ipairs(redis.call('HKEYS', groupsKey)) do
    if string.sub(field, 1, 5) == 'lost\\n' then redis.call('HDEL', groupsKey, field) end
  end
  return true
end
`;

/**
 * Partition keys. The queue of a key holds its entries that were handed to the group and are not settled, in the order of
 * the stream; only the first of them may be at work. An entry that was never handed to a handler has the delivery count 0.
 * Members are \`<SHA-1 of the key><id, padded>\`, and \`!<id>\`: up to there everything that was handed out is registered.
 */
export const QUEUE = `
local function padded(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #ms) .. ms .. string.rep('0', 20 - #seq) .. seq
end
local function idOf(member)
  local ms = string.gsub(string.sub(member, -40, -21), '^0+', '')
  local seq = string.gsub(string.sub(member, -20), '^0+', '')
  return (ms == '' and '0' or ms) .. '-' .. (seq == '' and '0' or seq)
end
local function hashOf(flat)
  for at = 1, #flat, 2 do
    if flat[at] == 'key' then return redis.sha1hex(flat[at + 1]) end
  end
  return false
end
local function hashAt(id)
  local entry = redis.call('XRANGE', key, id, id)[1]
  return entry and hashOf(entry[2])
end
local function pendingAt(id)
  local found = redis.pcall('XPENDING', key, group, id, id, 1)
  if found.err or #found == 0 then return nil end
  return { owner = found[1][2], idle = found[1][3], count = found[1][4] }
end
-- The first entry of a key that is still pending. Whatever was acknowledged, or is gone, by another way leaves the queue.
local function headOf(hash)
  while true do
    local first = redis.call('ZRANGEBYLEX', queue, '[' .. hash .. '0', '(' .. hash .. ':', 'LIMIT', 0, 1)[1]
    if not first then return nil end
    local id = idOf(first)
    local pending = pendingAt(id)
    if pending then return id, pending end
    redis.call('ZREM', queue, first)
  end
end
-- Entries that were trimmed before anybody was handed them: looking at them has the server forget them.
local lost = 0
-- Whoever comes first registers for all: what others were handed, and have not told of, comes in the stream's order too.
local function register(known)
  local mark = redis.call('ZRANGEBYLEX', queue, '[!', '(0', 'LIMIT', 0, 1)[1]
  local from, last = mark and '(' .. idOf(mark) or '-', nil
  while true do
    local page = redis.call('XPENDING', key, group, from, '+', 200)
    for _, pending in ipairs(page) do
      local id, owner = pending[1], pending[2]
      local hash = known[id]
      if hash == nil then hash = hashAt(id) end
      if hash then
        redis.call('ZADD', queue, 0, hash .. padded(id))
        local kept = redis.call('XCLAIM', key, group, owner, 0, id, 'RETRYCOUNT', 0, 'JUSTID')
        if #kept == 0 then lost = lost + 1 end
      end
      last = id
    end
    if #page < 200 then break end
    from = '(' .. last
  end
  if last then
    if mark then redis.call('ZREM', queue, mark) end
    redis.call('ZADD', queue, 0, '!' .. padded(last))
    redis.call('PEXPIRE', queue, keepMs + ${STREAM_GRACE_MS})
  end
end
`;
