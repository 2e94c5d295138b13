-- KEYS: leased, entries. ARGV: the leases' new end, then customer and lease of each. Returns the leases that are lost.
local lost = {}
for i = 2, #ARGV, 2 do
  local raw = redis.call('HGET', KEYS[2], ARGV[i])
  if raw and cjson.decode(raw).l == ARGV[i + 1] then
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[i])
  else
    table.insert(lost, ARGV[i + 1])
  end
end
return lost
