-- KEYS: due, leased, entries, failing. ARGV: customer, lease, error or '' where it is only given back, when it is due
-- again, channel.
local customer = ARGV[1]
local raw = redis.call('HGET', KEYS[3], customer)
if not raw then return 0 end
local entry = cjson.decode(raw)
if entry.l ~= ARGV[2] then return 0 end
entry.l = nil
if ARGV[3] ~= '' then
  entry.a = (entry.a or 0) + 1
  entry.e = ARGV[3]
  redis.call('SADD', KEYS[4], customer)
end
if entry.c or entry.m then entry.m = math.min(entry.c or math.huge, entry.m or math.huge) end
entry.c = nil
redis.call('HSET', KEYS[3], customer, cjson.encode(entry))
redis.call('ZREM', KEYS[2], customer)
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[1], ARGV[4], customer)
if tonumber(ARGV[4]) < (tonumber(first[2]) or math.huge) then redis.pcall('PUBLISH', ARGV[5], 'due') end
return 1
