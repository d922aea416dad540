-- Whether caps have room for one more impression. The one place that knows what a cap means.

local caps = {}

local TOTAL, DAY, WEEK, ROLLING, SESSION = 1, 2, 3, 5, 6
local TIME_BYTES = 6

-- A cap, the `i`-th from 0 of those packed from the `at`-th byte on: its kind, limit, and duration in ms.
function caps.packed(raw, at, i)
  return struct.unpack('>BI4I6', raw, at + i * 11)
end

-- The `n` caps packed from the `at`-th byte on, as {limit, and where its window began: ms, 'total' or 'session'}.
--   clock  {now, day, week, month}, ms
function caps.read(raw, at, n, clock)
  local found = {}
  for i = 0, n - 1 do
    local kind, limit, duration = caps.packed(raw, at, i)
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

-- Impressions counted in a session; `sessions` is as record.lua writes it.
function caps.in_session(sessions, session)
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
function caps.full(list, from, count, times, sessions, session, held, held_in_session)
  for i = from, #list do
    local limit, since = list[i].limit, list[i].since
    if since == 'total' then
      if count >= limit - held then return i end
    elseif since == 'session' then
      if session ~= '' and caps.in_session(sessions, session) >= limit - held_in_session then return i end
    else
      -- "limit or more shows since the window began" is: the limit-th latest is not older than that. A held place is
      -- a show that is later than all of them.
      local nth = #times - (limit - held) * TIME_BYTES + 1
      if held >= limit or nth >= 1 and struct.unpack('>I6', times, nth) >= since then return i end
    end
  end
  return nil
end

-- How many impressions a cap counts, as far as they are kept, and how many held places.
function caps.taken(cap, count, times, sessions, session, held, held_in_session)
  if cap.since == 'total' then return count, held end
  if cap.since == 'session' then return caps.in_session(sessions, session), held_in_session end
  local shown, at = 0, #times - TIME_BYTES + 1
  while at >= 1 and struct.unpack('>I6', times, at) >= cap.since do
    shown, at = shown + 1, at - TIME_BYTES
  end
  return shown, held
end

-- Adds the times at which a cap with a rolling window may come to have room: when the show that takes its last place
-- has left the window, whichever that is while up to `held` places are held.
function caps.add_openings(found, raw, at, i, times, held)
  local kind, limit, duration = caps.packed(raw, at, i)
  if kind ~= ROLLING then return end
  for n = math.max(limit - held, 1), limit do
    local nth = #times - n * TIME_BYTES + 1
    if nth < 1 then return end
    found[#found + 1] = struct.unpack('>I6', times, nth) + duration + 1
  end
end

return caps
