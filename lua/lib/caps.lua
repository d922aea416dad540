-- Whether caps have room for one more impression. The one place that knows what a cap means.

local TOTAL, DAY, WEEK, ROLLING, SESSION = 1, 2, 3, 5, 6
local BYTES, TIME_BYTES = 11, 6

-- The `i`-th cap of a campaign or of the policy: its kind, limit, and duration in ms.
local function nth(owner, i)
  return struct.unpack('>BI4I6', owner.raw, owner.caps_at + (i - 1) * BYTES)
end

-- When the window of a cap of this kind began, ms.
--   clock  {now, day, week, month}, ms
local function since(kind, duration, clock)
  if kind == ROLLING then return clock.now - duration end
  return kind == DAY and clock.day or kind == WEEK and clock.week or clock.month
end

-- Impressions counted in a session; `sessions` is as record.lua says.
local function in_session(sessions, session)
  local _, found = string.find(sessions, '~' .. session .. '=', 1, true)
  if not found then return 0 end
  return tonumber(string.match(sessions, '^%d+', found + 1))
end

-- The first of the caps of a campaign or of the policy, from the `from`-th on, that has no room; nil when each has.
--   clock     {now, day, week, month}, ms
--   count     impressions counted in all
--   times     the latest show times, ascending, 6 bytes each
--   sessions  impressions per session
--   session   '' when the request names none
--   held, held_in_session  places that other decisions hold
local function full(owner, clock, from, count, times, sessions, session, held, held_in_session)
  for i = from, owner.caps do
    local kind, limit, duration = nth(owner, i)
    if kind == TOTAL then
      if count >= limit - held then return i end
    elseif kind == SESSION then
      if session ~= '' and in_session(sessions, session) >= limit - held_in_session then return i end
    else
      -- "limit or more shows since the window began" is: the limit-th latest is not older than that. A held place is
      -- a show that is later than all of them.
      local at = #times - (limit - held) * TIME_BYTES + 1
      if held >= limit or at >= 1 and struct.unpack('>I6', times, at) >= since(kind, duration, clock) then return i end
    end
  end
  return nil
end

return { nth = nth, since = since, in_session = in_session, full = full }
