-- KEYS: due, leased, entries, failing. ARGV: now, most, lease's end, the lease's name.
-- Customers that are due, and such whose worker has died, whoever has waited longest first.
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, most)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, most)
local claims, e, d = {}, 1, 1
while #claims < most and (e <= #expired or d <= #due) do
  local crashed = d > #due or (e <= #expired and tonumber(expired[e + 1]) <= tonumber(due[d + 1]))
  local customer
  if crashed then customer, e = expired[e], e + 2 else customer, d = due[d], d + 2 end
  local raw = redis.call('HGET', KEYS[3], customer)
  local read, entry = pcall(cjson.decode, raw or '{}')
  if not read or type(entry) ~= 'table' then entry = {} end
  entry.g = entry.g or 0
  entry.l = ARGV[4] .. ':' .. (#claims + 1)
  if crashed then
    entry.a = (entry.a or 0) + 1
    entry.e = 'the worker died: its lease ran out'
    redis.call('SADD', KEYS[4], customer)
  end
  entry.t = now
  if entry.c or entry.m then entry.c = math.min(entry.c or math.huge, entry.m or math.huge) end
  entry.m = nil
  redis.call('ZREM', KEYS[1], customer)
  redis.call('ZADD', KEYS[2], ARGV[3], customer)
  redis.call('HSET', KEYS[3], customer, cjson.encode(entry))
  table.insert(claims, {customer, entry.g, entry.l, entry.a or 0, entry.c or -1})
end
return claims
