-- Whether caps have room for one more impression. The one place that knows what a cap means.

local caps = {}

local TOTAL, DAY, WEEK, ROLLING, SESSION = 1, 2, 3, 5, 6
local TIME_BYTES = 6

-- Impressions counted in a session; `sessions` is as record.lua writes it.
function caps.in_session(sessions, session)
  local _, found = string.find(sessions, '~' .. session .. '=', 1, true)
  if not found then return 0 end
  return tonumber(string.match(sessions, '^%d+', found + 1))
end

-- True when each of the `n` caps packed at `at` has room.
--   count     impressions counted in all
--   times     the latest show times, ascending, 6 bytes each
--   sessions  impressions per session
--   clock     {now, day, week, month, session}, ms; session '' when the request names none
function caps.room(raw, at, n, count, times, sessions, clock)
  for i = 0, n - 1 do
    local kind, limit, duration = struct.unpack('>BI4I6', raw, at + i * 11 + 1)
    if kind == TOTAL then
      if count >= limit then return false end
    elseif kind == SESSION then
      if clock.session ~= '' and caps.in_session(sessions, clock.session) >= limit then return false end
    else
      local since
      if kind == ROLLING then since = clock.now - duration
      elseif kind == DAY then since = clock.day
      elseif kind == WEEK then since = clock.week
      else since = clock.month end
      -- "limit or more shows since the window began" is: the limit-th latest is not older than that.
      local nth = #times - limit * TIME_BYTES + 1
      if nth >= 1 and struct.unpack('>I6', times, nth) >= since then return false end
    end
  end
  return true
end

return caps
