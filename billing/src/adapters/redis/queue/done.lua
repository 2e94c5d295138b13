-- KEYS: due, leased, entries, quiet, failing. ARGV: customer, generation, lease or '', next or '', now, quiet,
-- the ids that were listed as JSON, how long one may be missing, channel.
-- Returns when the oldest mark that was served was made; -1 where none was.
local customer, lease, now, quiet = ARGV[1], ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])

local function schedule(due)
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('ZADD', KEYS[1], due, customer)
  if tonumber(due) < (tonumber(first[2]) or math.huge) then redis.pcall('PUBLISH', ARGV[9], 'due') end
end

local raw = redis.call('HGET', KEYS[3], customer)
if not raw then
  if lease == '' and ARGV[4] ~= '' then
    redis.call('HSET', KEYS[3], customer, cjson.encode({g = tonumber(ARGV[2])}))
    schedule(ARGV[4])
  end
  return -1
end
local entry = cjson.decode(raw)
if (entry.l or '') ~= lease then return -1 end
local marked_since = entry.g ~= tonumber(ARGV[2])
if marked_since and lease == '' then return -1 end
local served = lease == '' and entry.m or entry.c or -1
if quiet > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
  redis.call('ZADD', KEYS[4], now + quiet, customer)
end
local due = tonumber(ARGV[4])
if marked_since then due = now + quiet end
-- Only a sync that was claimed when the awaited time had come has served it, and only now that it has succeeded.
if entry.later and lease ~= '' and (entry.t or 0) >= entry.later then entry.later = nil end
if entry.later then due = math.min(due or entry.later, math.max(entry.later, now)) end
local missing = nil
if entry.x then
  local listed = {}
  for _, id in ipairs(cjson.decode(ARGV[7])) do listed[id] = true end
  for id, since in pairs(entry.x) do
    -- Marked by a clock that is ahead of ours.
    since = math.min(since, now)
    if not listed[id] and now - since < tonumber(ARGV[8]) then
      missing = missing or {}
      missing[id] = since
      local again = now + math.max(quiet, 2 * (now - since))
      due = math.min(due or again, again)
    end
  end
end
redis.call('ZREM', KEYS[2], customer)
redis.call('SREM', KEYS[5], customer)
if not due then
  redis.call('ZREM', KEYS[1], customer)
  redis.call('HDEL', KEYS[3], customer)
  return served
end
local left = {g = entry.g, later = entry.later, x = missing}
if marked_since then left.m = entry.m end
redis.call('HSET', KEYS[3], customer, cjson.encode(left))
schedule(due)
return served
