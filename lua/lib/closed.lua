-- What of caps and held places only an explanation asks, apart from caps.lua and holds.lua: decisions would pay for
-- every function that they do not call.

-- A cap, the `i`-th of those packed from the `at`-th byte on, as caps.read reads it: its kind, limit, and duration in ms.
local function cap(raw, at, i)
  return struct.unpack('>BI4I6', raw, at + (i - 1) * 11)
end

-- How many impressions a cap of caps.read counts, as far as they are kept, and how many held places. The rest as of caps.full.
local function taken(cap, count, times, sessions, session, held, held_in_session)
  if cap.since == 'total' then return count, held end
  if cap.since == 'session' then return caps.in_session(sessions, session), held_in_session end
  local shown, at = 0, #times - caps.TIME_BYTES + 1
  while at >= 1 and struct.unpack('>I6', times, at) >= cap.since do
    shown, at = shown + 1, at - caps.TIME_BYTES
  end
  return shown, held
end

-- Adds the times at which a cap with a rolling window may come to have room: when the show that takes its last place
-- has left the window, whichever that is while up to `held` places are held.
local function add_openings(found, raw, at, i, times, held)
  local kind, limit, duration = cap(raw, at, i)
  if kind ~= caps.ROLLING then return end
  for n = math.max(limit - held, 1), limit do
    local nth = #times - n * caps.TIME_BYTES + 1
    if nth < 1 then return end
    found[#found + 1] = struct.unpack('>I6', times, nth) + duration + 1
  end
end

-- Until when each place of a list of holds.lua is held, ms.
local function hold_ends(list)
  local found, at = {}, 1
  while at <= #list do
    local expires, _, _, _, after = holds.entry(list, at)
    found[#found + 1], at = expires, after
  end
  return found
end

return { cap = cap, taken = taken, add_openings = add_openings, hold_ends = hold_ends }
