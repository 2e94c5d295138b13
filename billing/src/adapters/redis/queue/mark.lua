-- KEYS: due, leased, entries, quiet, events. ARGV: now, channel, a random number, the quiet time, then
-- for each mark:
-- customer, at, the subscription it expects or '', by or from, the event as JSON or ''.
-- Returns 1 where somebody has become the first of the shard, so that a worker must be woken, then the generation of
-- each. Generations are random: one that was counted comes a second time after a failover
-- that has lost the newest, and a late report would then use up a mark that it has not served.
-- What is there is read at once for all marks, and written at once: a call for each would cost most of the time.
local now, random, quiet_time = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local customers, places = {}, {}
for at = 5, #ARGV, 5 do
  local customer = ARGV[at]
  if not places[customer] then
    customers[#customers + 1] = customer
    places[customer] = #customers
  end
end
local entries = redis.call('HMGET', KEYS[3], unpack(customers))
local due_at = redis.call('ZMSCORE', KEYS[1], unpack(customers))
local leased = redis.call('ZMSCORE', KEYS[2], unpack(customers))
local quiet_until = redis.call('ZMSCORE', KEYS[4], unpack(customers))
for place, raw in ipairs(entries) do
  local read, entry = false, nil
  if raw then read, entry = pcall(cjson.decode, raw) end
  due_at[place] = raw and tonumber(due_at[place] or nil)
  entries[place] = read and type(entry) == 'table' and entry or {}
end

local generations, events, moved, earliest = {}, {}, {}, math.huge
for i = 1, (#ARGV - 4) / 5 do
  local at = i * 5
  local customer, due = ARGV[at], tonumber(ARGV[at + 1])
  local place = places[customer]
  local entry, before = entries[place], due_at[place]
  entry.g = random + i
  entry.m = math.min(entry.m or math.huge, math.max(now, due))
  if ARGV[at + 2] ~= '' then
    entry.x = entry.x or {}
    entry.x[ARGV[at + 2]] = entry.x[ARGV[at + 2]] or now
  end
  if ARGV[at + 3] == 'from' and due > now then entry.later = math.max(entry.later or 0, due) end
  if not leased[place] then entry.l = nil end
  if not entry.l and not (before and (entry.a or 0) > 0) then
    -- Written by another clock, it is still no longer than it is.
    due = math.max(due, math.min(tonumber(quiet_until[place] or nil) or 0, now + quiet_time))
    if not before or due < before then
      due_at[place], moved[place] = due, due
      earliest = math.min(earliest, due)
    end
  end
  generations[i] = entry.g
  if ARGV[at + 4] ~= '' then events[#events + 1] = ARGV[at + 4] end
end

local fields, scores = {}, {}
for place, customer in ipairs(customers) do
  fields[2 * place - 1], fields[2 * place] = customer, cjson.encode(entries[place])
  if moved[place] then
    scores[#scores + 1] = moved[place]
    scores[#scores + 1] = customer
  end
end
redis.call('HSET', KEYS[3], unpack(fields))
local wakes = false
if #scores > 0 then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  wakes = earliest < (tonumber(first[2]) or math.huge)
  redis.call('ZADD', KEYS[1], unpack(scores))
end
if #events > 0 then
  redis.call('LPUSH', KEYS[5], unpack(events))
  redis.call('LTRIM', KEYS[5], 0, 199)
end
if wakes then redis.pcall('PUBLISH', ARGV[2], 'due') end
return {wakes and 1 or 0, unpack(generations)}
