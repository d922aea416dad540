-- Whether caps have room for one more impression. The one place that knows what a cap means.

local TOTAL, DAY, WEEK, SESSION = 1, 2, 3, 6
local ROLLING, TIME_BYTES = 5, 6

-- The `n` caps packed from the `at`-th byte on, as {limit, and where its window began: ms, 'total' or 'session'}.
--   clock  {now, day, week, month}, ms
local function read(raw, at, n, clock)
  local found = {}
  for i = 0, n - 1 do
    local kind, limit, duration = struct.unpack('>BI4I6', raw, at + i * 11)
    local since
    if kind == TOTAL then since = 'total'
    elseif kind == SESSION then since = 'session'
    elseif kind == ROLLING then since = clock.now - duration
    elseif kind == DAY then since = clock.day
    elseif kind == WEEK then since = clock.week
    else since = clock.month end
    found[i + 1] = { limit = limit, since = since }
  end
  return found
end

-- Impressions counted in a session; `sessions` is as record.lua says.
local function in_session(sessions, session)
  local _, found = string.find(sessions, '~' .. session .. '=', 1, true)
  if not found then return 0 end
  return tonumber(string.match(sessions, '^%d+', found + 1))
end

-- The first of the caps, from the `from`-th on, that has no room; nil when each has.
--   count     impressions counted in all
--   times     the latest show times, ascending, 6 bytes each
--   sessions  impressions per session
--   session   '' when the request names none
--   held, held_in_session  places that other decisions hold
local function full(list, from, count, times, sessions, session, held, held_in_session)
  for i = from, #list do
    local limit, since = list[i].limit, list[i].since
    if since == 'total' then
      if count >= limit - held then return i end
    elseif since == 'session' then
      if session ~= '' and in_session(sessions, session) >= limit - held_in_session then return i end
    else
      -- "limit or more shows since the window began" is: the limit-th latest is not older than that. A held place is
      -- a show that is later than all of them.
      local nth = #times - (limit - held) * TIME_BYTES + 1
      if held >= limit or nth >= 1 and struct.unpack('>I6', times, nth) >= since then return i end
    end
  end
  return nil
end

return { ROLLING = ROLLING, TIME_BYTES = TIME_BYTES, read = read, in_session = in_session, full = full }
