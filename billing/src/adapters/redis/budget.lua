-- KEYS: names, the account's limit, the endpoint's limit, and both again for people: they may use up most of a limit,
-- and never all of it for long, as background work must go on. ARGV: what to do (take, slow, show), and for
--   take: the endpoint's name, account rate, endpoint rate, burst in seconds, share kept back, how far ahead may be
--         booked in ms, recovery in ms, 1 where somebody waits
--   slow: the endpoint's name, account rate, endpoint rate, burst, recovery in ms, wait in ms, 1 for the account
-- Redis' own clock, so that processes whose clocks disagree share one budget.
-- A limit is a hash: t tokens, at when they were counted, f the factor of the rate, fa since when, p paused until.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function read(key, rate, burst, recover)
  local raw = redis.call('HMGET', key, 't', 'at', 'f', 'fa', 'p')
  local since = tonumber(raw[4]) or now
  local factor = math.min(1, (tonumber(raw[3]) or 1) + math.max(0, now - since) / recover)
  local limit = {key = key, rate = rate, factor = factor, since = since, paused = tonumber(raw[5]) or 0}
  limit.current = rate * factor
  limit.most = math.max(1, limit.current * burst)
  local passed = math.max(0, now - (tonumber(raw[2]) or now)) / 1000
  limit.tokens = math.min(limit.most, (tonumber(raw[1]) or limit.most) + passed * limit.current)
  return limit
end

local function store(limit, fields)
  redis.call('HSET', limit.key, 'r', limit.rate, 't', tostring(limit.tokens), 'at', now, unpack(fields))
  redis.call('PEXPIRE', limit.key, 3600000)
end

local function name_it(name)
  redis.call('ZADD', KEYS[1], now, name)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600000)
  redis.call('PEXPIRE', KEYS[1], 3600000)
end

local name, burst = ARGV[2], tonumber(ARGV[5])
if ARGV[1] == 'slow' then
  local recover, wait = tonumber(ARGV[6]), tonumber(ARGV[7])
  local rate = tonumber(ARGV[8] == '1' and ARGV[3] or ARGV[4])
  local limit = read(ARGV[8] == '1' and KEYS[2] or KEYS[3], rate, burst, recover)
  local fields = {'p', math.max(limit.paused, now + wait)}
  -- Refusals of calls that were under way together count once.
  if limit.factor == 1 or now - limit.since >= 1000 then
    local factor = math.max(0.04, limit.factor / 2)
    fields = {'p', fields[2], 'f', tostring(factor), 'fa', now}
  end
  store(limit, fields)
  name_it(name)
  return {1, wait}
end

local reserve, ahead, recover, waiting = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == '1'
local limits = {read(KEYS[2], tonumber(ARGV[3]), burst, recover), read(KEYS[3], tonumber(ARGV[4]), burst, recover)}
if waiting then
  -- Of the rate as it is now: a share of the full one would be all of one that Stripe has slowed down.
  local share = 1 - reserve
  table.insert(limits, read(KEYS[4], limits[1].current * share, burst / share, recover))
  table.insert(limits, read(KEYS[5], limits[2].current * share, burst / share, recover))
end
local wait = 0
for _, limit in ipairs(limits) do
  local needed = 1
  if not waiting then needed = math.min(limit.most, 1 + reserve * limit.most) end
  local lacking = math.max(0, needed - limit.tokens) / limit.current * 1000
  wait = math.max(wait, lacking, limit.paused - now)
end
wait = math.ceil(wait)
if wait > 0 and (not waiting or wait > ahead) then return {0, wait} end
for _, limit in ipairs(limits) do
  limit.tokens = limit.tokens - 1
  store(limit, {})
end
name_it(name)
return {1, wait}
