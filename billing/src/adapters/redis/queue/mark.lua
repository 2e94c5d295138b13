-- KEYS: due, leased, entries, quiet, events. ARGV: now, channel, a random number, the quiet time, then
-- for each mark:
-- customer, at, the subscription it expects or '', by or from, the event as JSON or ''.
-- Returns the generation of each. Generations are random: one that was counted comes a second time after a failover
-- that has lost the newest, and a late report would then use up a mark that it has not served.
local now, random, marks = tonumber(ARGV[1]), tonumber(ARGV[3]), (#ARGV - 4) / 5
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local earliest, wakes = tonumber(first[2]) or math.huge, false
local generations, events = {}, {}
for i = 1, marks do
  local at = i * 5
  local customer, due = ARGV[at], tonumber(ARGV[at + 1])
  local raw = redis.call('HGET', KEYS[3], customer)
  local read, entry = pcall(cjson.decode, raw or '{}')
  if not read or type(entry) ~= 'table' then entry = {} end
  entry.g = random + i
  entry.m = math.min(entry.m or math.huge, math.max(now, due))
  if ARGV[at + 2] ~= '' then
    entry.x = entry.x or {}
    entry.x[ARGV[at + 2]] = entry.x[ARGV[at + 2]] or now
  end
  if ARGV[at + 3] == 'from' and due > now then entry.later = math.max(entry.later or 0, due) end
  if entry.l and not redis.call('ZSCORE', KEYS[2], customer) then entry.l = nil end
  if not entry.l then
    local before = raw and tonumber(redis.call('ZSCORE', KEYS[1], customer) or nil)
    if not (before and (entry.a or 0) > 0) then
      -- Written by another clock, it is still no longer than it is.
      local quiet = tonumber(redis.call('ZSCORE', KEYS[4], customer) or nil) or 0
      due = math.max(due, math.min(quiet, now + tonumber(ARGV[4])))
      if not before or due < before then
        redis.call('ZADD', KEYS[1], due, customer)
        if due < earliest then earliest, wakes = due, true end
      end
    end
  end
  redis.call('HSET', KEYS[3], customer, cjson.encode(entry))
  generations[i] = entry.g
  if ARGV[at + 4] ~= '' then table.insert(events, ARGV[at + 4]) end
end
if #events > 0 then
  redis.call('LPUSH', KEYS[5], unpack(events))
  redis.call('LTRIM', KEYS[5], 0, 199)
end
if wakes then redis.pcall('PUBLISH', ARGV[2], 'due') end
return generations
