-- The requests of a load, for wrk. Arguments, in turn:
--   kind       get | post | mixed (10 GET : 3 POST)
--   seed       of the random users; a run that repeats it repeats the users
--   first      the lowest user id
--   users      how many users there are from there on
--   campaigns  reports are about the campaigns 1 to this
-- At the end it prints one line of JSON for bench/wrk.ts.
--
-- Statuses are not counted here: a response hook makes wrk collect every header in a Lua table, on the
-- core that the servers need. The engine's own counters are read before and after instead.

local kind, seed, first, users, campaigns
local sent = 0

function init(args)
  kind, seed, first, users, campaigns = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  math.randomseed(seed)
end

local function user()
  return string.format('%.0f', first + math.random(0, users - 1))
end

local function get()
  return 'GET /v1/campaigns/popup?user_id=' .. user() .. ' HTTP/1.1\r\nHost: bench\r\n\r\n'
end

local function post()
  -- As long as a UUID; the seed is another in every run, so that no id comes twice.
  local id = string.format('%08x-0000-7000-8000-%012x', seed, sent)
  local body = '{"user_id":' .. user() .. ',"impression_id":"' .. id .. '"}'
  return 'POST /v1/campaigns/' .. math.random(1, campaigns) .. '/impression HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: '
    .. #body .. '\r\n\r\n' .. body
end

function request()
  sent = sent + 1
  if kind == 'get' then return get() end
  if kind == 'post' then return post() end
  local turn = sent % 13
  if turn == 4 or turn == 8 or turn == 12 then return post() end
  return get()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
