-- What the members of one logical client share. Each operation is one run of this script, so that
-- every other client sees it whole or not at all.
--
-- Numbers of 64 bits are texts and compared as such: a number of Lua holds 53 bits. Times are in
-- milliseconds. A script that an ACL stops in the middle has changed what came before: so checks
-- come first, the token before the record, the record in one command, and the announcement last.

local fleet, token, live, acks, holds, rows, rejected = unpack(KEYS)
local op, channel, at = ARGV[1], ARGV[2], ARGV[3]
local MEMBER_TTL, LEASE_TTL, REJECTIONS_TTL, LONGEST_PAUSE =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local COMMON = 7

local call, try = redis.call, redis.pcall

local function arg(index)
  return ARGV[COMMON + index]
end

local function text(number)
  return string.format('%.0f', number)
end

local function field(name)
  return call('HGET', fleet, name) or ''
end

local now
if at == '' then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
else
  now = tonumber(at)
end

-- What is no number was written by nobody, and is long over.
local function time_of(value)
  return tonumber(value or '') or 0
end

local function is_over(time)
  return time_of(time) <= now
end

---------------------------------------------------------------------------------------------------
-- The member table: sorted sets, of which counts are cheap, and a row for each member.

local function sizes()
  return { call('ZCARD', live), call('ZCARD', acks), call('ZCARD', holds), call('HLEN', rows) }
end

-- An eviction that took a part of the table away shows in its size.
local function note_sizes()
  local size = sizes()
  call('HSET', fleet, 'live', size[1], 'acks', size[2], 'holds', size[3], 'rows', size[4])
end

local function is_whole()
  local known = call('HMGET', fleet, 'live', 'acks', 'holds', 'rows')
  for index, size in ipairs(sizes()) do
    if size ~= tonumber(known[index] or 0) then
      return false
    end
  end
  return true
end

local function begin_anew()
  call('DEL', live, acks, holds, rows)
  call('HDEL', fleet, 'since', 'live', 'acks', 'holds', 'rows')
end

local function forget_member(member)
  for name in string.gmatch(call('HGET', rows, member) or '', '%S+') do
    call('ZREM', holds, name .. ':' .. member)
  end
  call('ZREM', live, member)
  call('ZREM', acks, member)
  call('HDEL', rows, member)
end

-- Forgets the dead. If nobody has asked for anything for as long as a member lives, or a part of
-- the table is gone, it begins anew: whoever comes first is not all there is. Returns whether that
-- could be done: a full or read-only server still lets the record be read.
local function tidy_table()
  local used = call('HGET', fleet, 'used')
  if type(try('HSET', fleet, 'used', text(now))) == 'table' then
    return false
  end
  if used and now - time_of(used) >= MEMBER_TTL or not is_whole() then
    begin_anew()
  end
  local dead = call('ZRANGEBYSCORE', live, '-inf', text(now))
  for _, member in ipairs(dead) do
    forget_member(member)
  end
  if #dead > 0 then
    note_sizes()
  end
  return true
end

local function begin_table()
  call('HSETNX', fleet, 'since', text(now))
end

local function holders_of(name)
  return call('ZLEXCOUNT', holds, '[' .. name .. ':', '(' .. name .. ';')
end

-- How many members have read which epoch. Those that are behind the 16 latest ones have read none.
local function epochs()
  local counts, from = {}, '+inf'
  for _ = 1, 16 do
    local last = call('ZRANGE', acks, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
    if not last[2] then
      return counts
    end
    table.insert(counts, text(tonumber(last[2])))
    table.insert(counts, text(call('ZCOUNT', acks, last[2], last[2])))
    from = '(' .. last[2]
  end
  local others = call('ZCOUNT', acks, '-inf', from)
  if others > 0 then
    table.insert(counts, '0')
    table.insert(counts, text(others))
  end
  return counts
end

-- How many members hold which credential, or have which function of `persist`.
local function holders()
  local counts, from = {}, '-'
  while true do
    local first = call('ZRANGEBYLEX', holds, from, '+', 'LIMIT', 0, 1)[1]
    if not first then
      return counts
    end
    local name = string.match(first, '^[^:]*')
    table.insert(counts, name)
    table.insert(counts, text(holders_of(name)))
    from = '[' .. name .. ';'
  end
end

local function row(member)
  local names, acked = call('HGET', rows, member), call('ZSCORE', acks, member)
  return names and acked and { text(tonumber(acked)), names } or {}
end

-- While nothing can be written, the members cannot say that they live: nobody is relied upon.
local function census(member, is_tidy)
  if not is_tidy then
    return { text(now), {}, {}, {} }
  end
  local since = time_of(field('since'))
  return { text(since == 0 and now or since), epochs(), holders(), row(member) }
end

---------------------------------------------------------------------------------------------------
-- The record and the token.

local function version()
  local stored = call('HMGET', fleet, 'incarnation', 'epoch', 'nonce')
  return stored[1] and { stored[1], stored[2], stored[3] } or {}
end

local function is_version(incarnation, epoch, nonce)
  local stored = version()
  return (stored[1] or '') == incarnation and (stored[2] or '') == epoch and (stored[3] or '') == nonce
end

local function serial()
  local stored = field('serial')
  return stored == '' and '0' or stored
end

-- A serial is the one number of 64 bits that is counted here.
local function next_serial()
  return text(tonumber(serial()) + 1)
end

-- The token, unless it has expired, or is not the one that the record was written with.
local function current_token()
  local it = call('HMGET', token, 'id', 'credential', 'generation', 'serial', 'issued', 'until', 'incarnation', 'text')
  if not it[8] or it[4] ~= serial() or it[7] ~= field('incarnation') or is_over(it[6]) then
    return {}
  end
  return it
end

local function store_token(number, incarnation, id, credential, generation, issued, expires, secret)
  call('HSET', token, 'id', id, 'credential', credential, 'generation', generation, 'serial', number,
    'issued', issued, 'until', expires, 'incarnation', incarnation, 'text', secret)
  -- What has expired is not handed out; this only collects it.
  call('PEXPIRE', token, math.max(expires - now, 1))
end

local function announce()
  local has_token = current_token()[1] and '1' or '0'
  try('PUBLISH', channel, (field('epoch') == '' and '0' or field('epoch')) .. ' ' .. serial() .. ' ' .. has_token)
end

-- Whether the live members let the write pass: none of its conditions is missing.
local function missing(epoch, credential, is_sealed, writer)
  local since = time_of(field('since'))
  local is_old = since ~= 0 and now - since >= MEMBER_TTL
  local is_listed = writer == '' or call('ZSCORE', live, writer)
  local behind = call('ZCOUNT', acks, '-inf', '(' .. epoch)
  local without = is_sealed == '1' and 0 or call('ZCARD', live) - holders_of(credential)
  if is_old and is_listed and behind == 0 and without == 0 then
    return nil
  end
  return { 'barrier', is_old and is_listed and '0' or '1', text(behind), text(without) }
end

---------------------------------------------------------------------------------------------------
-- Rejections and the pause.

-- The rows that are not forgotten yet, and the credentials of those that are.
local function rejections()
  local all, found, over = call('HGETALL', rejected), {}, {}
  for index = 1, #all, 2 do
    local last = string.match(all[index + 1], '%d+$')
    if time_of(last) + REJECTIONS_TTL > now then
      table.insert(found, all[index])
      table.insert(found, all[index + 1])
    else
      table.insert(over, all[index])
    end
  end
  return found, over
end

-- A pause that would last longer than any is one that begins now.
local function cool_down()
  local till = time_of(field('coolDown'))
  return till <= now and '' or text(math.min(till, now + LONGEST_PAUSE))
end

---------------------------------------------------------------------------------------------------
-- The operations.

local operations = {}

function operations.load(is_tidy)
  local found = rejections()
  return { text(now), version(), field('schema'), field('body'), current_token(), serial(),
    census(arg(1), is_tidy), found, cool_down() }
end

function operations.members(is_tidy)
  local since, all = time_of(field('since')), {}
  for _, member in ipairs(is_tidy and call('ZRANGE', live, 0, -1) or {}) do
    table.insert(all, member)
    table.insert(all, row(member))
  end
  return { text(is_tidy and since ~= 0 and since or now), all }
end

function operations.write()
  if not is_version(arg(1), arg(2), arg(3)) then
    return { 'stale' }
  end
  if arg(11) ~= '' then
    local refused = missing(arg(11), arg(12), arg(13), arg(14))
    if refused then
      return refused
    end
  end
  local incarnation, generation, number = arg(4), arg(7), serial()
  local is_other = field('incarnation') ~= incarnation
  local is_replaced = arg(15) ~= ''
  if is_replaced then
    number = next_serial()
    store_token(number, incarnation, arg(15), arg(16), generation, arg(17), arg(18), arg(19))
  elseif is_other and current_token()[1] then
    call('HSET', token, 'incarnation', incarnation)
  end
  if is_other then
    -- What was acknowledged of another incarnation says nothing of this one.
    for _, member in ipairs(call('ZRANGE', acks, 0, -1)) do
      call('ZADD', acks, 0, member)
    end
  end
  begin_table()
  call('HSET', fleet, 'schema', arg(8), 'incarnation', incarnation, 'epoch', arg(5), 'nonce', arg(6),
    'generation', generation, 'retired', arg(9), 'serial', number, 'body', arg(10))
  announce()
  return { 'written', text(now), is_replaced and number or '' }
end

function operations.put()
  local record = call('HMGET', fleet, 'generation', 'retired', 'incarnation')
  local is_retired = string.find(' ' .. (record[2] or '') .. ' ', ' ' .. arg(3) .. ' ', 1, true)
  if record[1] ~= arg(4) or is_retired or serial() ~= arg(7) then
    return { 'stale' }
  end
  local number = next_serial()
  store_token(number, record[3], arg(1), arg(3), arg(4), arg(5), arg(6), arg(2))
  call('HSET', fleet, 'serial', number)
  announce()
  return { 'written', text(now), number }
end

local function delete_if(index, value)
  if current_token()[index] ~= value then
    return 0
  end
  call('DEL', token)
  announce()
  return 1
end

function operations.invalidate()
  return delete_if(1, arg(1))
end

function operations.drop()
  return delete_if(2, arg(1))
end

-- The holder of the lease. One that would last far longer than a lease does is none of a member; the
-- server's clock may have gone back a little.
local function holder()
  local held = call('HMGET', fleet, 'lease', 'leaseUntil')
  if not held[1] or is_over(held[2]) or time_of(held[2]) > now + 2 * LEASE_TTL then
    return '', ''
  end
  return held[1], held[2]
end

local function hold_lease(nonce)
  local till = text(now + LEASE_TTL)
  call('HSET', fleet, 'lease', nonce, 'leaseUntil', till)
  return till
end

function operations.acquire()
  local nonce, till = holder()
  if nonce ~= '' and nonce ~= arg(1) then
    return { 0, till }
  end
  return { 1, hold_lease(arg(1)) }
end

function operations.renew()
  if holder() ~= arg(1) then
    return 0
  end
  hold_lease(arg(1))
  return 1
end

function operations.release()
  if holder() ~= arg(1) then
    return 0
  end
  call('HDEL', fleet, 'lease', 'leaseUntil')
  return 1
end

function operations.beat(is_tidy)
  begin_table()
  local member, names = arg(1), arg(5)
  local acked = call('ZSCORE', acks, member) or 0
  if arg(2) ~= '' and is_version(arg(2), arg(3), arg(4)) then
    acked = arg(3)
  end
  local before = call('HGET', rows, member)
  if before ~= names then
    for name in string.gmatch(before or '', '%S+') do
      call('ZREM', holds, name .. ':' .. member)
    end
    for name in string.gmatch(names, '%S+') do
      call('ZADD', holds, 0, name .. ':' .. member)
    end
    call('HSET', rows, member, names)
  end
  call('ZADD', live, text(now + MEMBER_TTL), member)
  call('ZADD', acks, acked, member)
  note_sizes()
  local it = current_token()
  return { text(now), version(), { it[1], it[2], it[3], it[4], it[5], it[6] }, serial(),
    census(member, is_tidy), (rejections()) }
end

function operations.leave()
  forget_member(arg(1))
  note_sizes()
  return 1
end

function operations.reject()
  local _, over = rejections()
  for _, credential in ipairs(over) do
    call('HDEL', rejected, credential)
  end
  local count, first = 0, text(now)
  local known, since = string.match(call('HGET', rejected, arg(1)) or '', '^(%d+) (%d+) %d+$')
  if known and (arg(2) == '' or time_of(since) >= time_of(arg(2))) then
    count, first = tonumber(known), since
  end
  local noted = text(math.min(count + 1, 4294967295)) .. ' ' .. first .. ' ' .. text(now)
  call('HSET', rejected, arg(1), noted)
  call('PEXPIRE', rejected, REJECTIONS_TTL)
  return noted
end

function operations.accept()
  call('HDEL', rejected, arg(1))
  return 1
end

function operations.cool()
  local till = text(now + tonumber(arg(1)))
  local before = cool_down()
  if time_of(before) > time_of(till) then
    till = before
  end
  call('HSET', fleet, 'coolDown', till)
  return till
end

-- Runs every command that the operations need, on a key of its own, and names those that the user
-- may not run. The announcement is empty: nothing has changed.
function operations.probe()
  local key, denied = fleet, {}
  local function needs(name, ...)
    local outcome = try(name, ...)
    local why = type(outcome) == 'table' and outcome.err or ''
    -- As Redis says it, and Valkey.
    if string.find(why, "user executing the script can't", 1, true)
      or string.find(why, 'ACL failure in script', 1, true) then
      table.insert(denied, name)
    end
  end
  needs('TIME')
  needs('HSET', key, 'a', 1)
  needs('HSETNX', key, 'b', 1)
  needs('HGET', key, 'a')
  needs('HMGET', key, 'a', 'b')
  needs('HGETALL', key)
  needs('HLEN', key)
  needs('HDEL', key, 'a')
  needs('PEXPIRE', key, 1000)
  needs('DEL', key)
  needs('ZADD', key, 1, 'a')
  needs('ZCARD', key)
  needs('ZCOUNT', key, '-inf', '+inf')
  needs('ZLEXCOUNT', key, '-', '+')
  needs('ZRANGE', key, 0, -1)
  needs('ZRANGEBYLEX', key, '-', '+')
  needs('ZRANGEBYSCORE', key, '-inf', '+inf')
  needs('ZSCORE', key, 'a')
  needs('ZREM', key, 'a')
  needs('PUBLISH', channel, '')
  return denied
end

return operations[op](op ~= 'probe' and tidy_table())
