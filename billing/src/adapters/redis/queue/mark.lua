-- KEYS: due, leased, entries, quiet, events. ARGV: now, channel, the quiet time, the events that came as a JSON array
-- or '', then for each mark:
-- customer, generation, at, the subscription it expects or '', by or from.
-- Returns 1 where somebody has become the first of the shard, so that a worker must be woken. Generations are random: one
-- that was counted comes a second time after a failover
-- that has lost the newest, and a late report would then use up a mark that it has not served.
-- What is there is read at once for all marks, and written at once: a call for each would cost most of the time. Who has
-- no entry, as most in a storm of webhooks, gets one put together from the arguments as they are: numbers that Lua has
-- read must be printed again, and that costs as much as the rest.
local now, quiet_time = tonumber(ARGV[1]), tonumber(ARGV[3])
local customers, places = {}, {}
for at = 5, #ARGV, 5 do
  local customer = ARGV[at]
  if not places[customer] then
    customers[#customers + 1] = customer
    places[customer] = #customers
  end
end
local stored = redis.call('HMGET', KEYS[3], unpack(customers))
local quiet_until = redis.call('ZMSCORE', KEYS[4], unpack(customers))
local known = false
for place = 1, #customers do known = known or stored[place] end
local due_at = known and redis.call('ZMSCORE', KEYS[1], unpack(customers)) or {}
local leased = known and redis.call('ZMSCORE', KEYS[2], unpack(customers)) or {}

local entries, texts, moved, earliest = {}, {}, {}, math.huge

-- The entry of somebody who has one, or was marked already in this call.
local function entry_of(place)
  if entries[place] then return entries[place] end
  local raw = stored[place] or texts[place]
  local read, entry = pcall(cjson.decode, raw)
  entries[place] = read and type(entry) == 'table' and entry or {}
  due_at[place] = tonumber(due_at[place] or nil)
  return entries[place]
end

for at = 5, #ARGV, 5 do
  local customer, generation, expects = ARGV[at], ARGV[at + 1], ARGV[at + 3]
  local place, due = places[customer], tonumber(ARGV[at + 2])
  local ahead = due > now and ARGV[at + 2]
  local from = ahead and ARGV[at + 4] == 'from'
  local until_quiet = tonumber(quiet_until[place] or nil) or 0
  -- Written by another clock, it is still no longer than it is.
  local earliest_due = math.max(due, math.min(until_quiet, now + quiet_time))
  local is_new = not (stored[place] or texts[place])
  if is_new then
    texts[place] = '{"g":' .. generation .. ',"m":' .. (ahead or ARGV[1])
      .. (expects ~= '' and ',"x":{"' .. expects .. '":' .. ARGV[1] .. '}' or '')
      .. (from and ',"later":' .. ahead or '') .. '}'
    due_at[place] = earliest_due
    moved[place] = earliest_due == due and ARGV[at + 2] or earliest_due
    earliest = math.min(earliest, earliest_due)
  else
    local entry = entry_of(place)
    local before = due_at[place]
    entry.g = tonumber(generation)
    entry.m = math.min(entry.m or math.huge, math.max(now, due))
    if expects ~= '' then
      entry.x = entry.x or {}
      entry.x[expects] = entry.x[expects] or now
    end
    if from then entry.later = math.max(entry.later or 0, due) end
    if not leased[place] then entry.l = nil end
    if not entry.l and not (before and (entry.a or 0) > 0) and (not before or earliest_due < before) then
      due_at[place], moved[place] = earliest_due, earliest_due
      earliest = math.min(earliest, earliest_due)
    end
  end
end

local fields, scores = {}, {}
for place, customer in ipairs(customers) do
  fields[2 * place - 1] = customer
  fields[2 * place] = entries[place] and cjson.encode(entries[place]) or texts[place]
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
if ARGV[4] ~= '' then
  local kept = redis.call('LPUSH', KEYS[5], ARGV[4])
  -- Not each time: it costs as much as a mark.
  if kept > 220 then redis.call('LTRIM', KEYS[5], 0, 199) end
end
if wakes then redis.pcall('PUBLISH', ARGV[2], 'due') end
return wakes and 1 or 0
