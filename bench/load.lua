-- Sends signed events, each about another customer, and says as JSON what came of it.
-- Arguments: the template's file, the file of numbers and signatures, the number in the template.

-- The request's pieces: `head`, a signature, the end of the headers, then the body's pieces with a number between.
local pieces, names, signatures, at = {}, {}, {}, 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function split(text, mark)
  local from = 1
  while true do
    local first, last = text:find(mark, from, true)
    table.insert(pieces, text:sub(from, first and first - 1))
    if not first then return end
    table.insert(pieces, mark)
    from = last + 1
  end
end

function init(args)
  local text = read(args[1])
  local head = {
    "POST " .. wrk.path .. " HTTP/1.1", "Host: " .. wrk.host, "Content-Type: application/json; charset=utf-8",
    "Content-Length: " .. #text, "Stripe-Signature: ",
  }
  pieces = { table.concat(head, "\r\n"), "", "\r\n\r\n" }
  split(text, args[3])
  for line in io.lines(args[2]) do
    local name, signature = line:match("^(%S+) (%S+)$")
    table.insert(names, name)
    table.insert(signatures, signature)
  end
end

function request()
  at = at % #names + 1
  pieces[2] = signatures[at]
  for slot = 5, #pieces, 2 do pieces[slot] = names[at] end
  return table.concat(pieces)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
