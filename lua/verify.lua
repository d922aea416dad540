-- Says of a server that its counters are whole: the events that the store has of its stream are in them.
--
-- KEYS  the event stream, the verified server
-- ARGV  the run id of the server that was looked at; the last entry of the stream that the store has, or '';
--       what tells this look from others; the run ids of the other masters of a cluster, with commas between, or ''
-- Returns {'verified'} | {'other'} (another server answers by now: look again)
--
-- Why a script: a server that takes another's place between the look and the word would be trusted unseen.
-- @use

local stream_key, verified_key = KEYS[1], KEYS[2]
local run_id, mark, word, others = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

-- Where the user may not ask there is nothing to compare.
local info = redis.pcall('INFO', 'server')
if type(info) == 'string' and not string.find(info, 'run_id:' .. run_id, 1, true) then return { 'other' } end

local function earlier(a, b)
  local a_ms, a_sequence = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_sequence = string.match(b, '^(%d+)-(%d+)$')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_sequence) < tonumber(b_sequence)
end

local function last_id()
  local stream = redis.pcall('XINFO', 'STREAM', stream_key)
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then return stream[i + 1] end
  end
  return '0-0'
end

-- New entries come behind those that the store has: by that the next look tells whether the server went back in time.
if mark ~= '' and earlier(last_id(), mark) then
  redis.call('XADD', stream_key, mark, 'x', '')
  redis.call('XDEL', stream_key, mark)
end
redis.call('SET', verified_key, run_id .. (others == '' and '' or ',' .. others) .. ' ' .. word)
return { 'verified' }
