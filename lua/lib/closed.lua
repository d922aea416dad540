-- What of caps and held places only an explanation asks, apart from caps.lua and holds.lua: decisions would pay for
-- every function that they do not call.

-- How many impressions the `i`-th cap of a campaign or of the policy counts, as far as they are kept, and how many held
-- places. The rest as of caps.full.
local function taken(owner, clock, i, count, times, sessions, session, held, held_in_session)
  local kind, _, duration = caps.nth(owner, i)
  if kind == caps.TOTAL then return count, held end
  if kind == caps.SESSION then return caps.in_session(sessions, session), held_in_session end
  local shown, at, since = 0, #times - caps.TIME_BYTES + 1, caps.since(kind, duration, clock)
  while at >= 1 and struct.unpack('>I6', times, at) >= since do
    shown, at = shown + 1, at - caps.TIME_BYTES
  end
  return shown, held
end

-- Adds the times at which a cap with a rolling window may come to have room: when the show that takes its last place
-- has left the window, whichever that is while up to `held` places are held.
local function add_openings(found, owner, i, times, held)
  local kind, limit, duration = caps.nth(owner, i)
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

-- How many steps the target of a campaign has.
local function steps(campaign)
  return string.byte(campaign.raw, campaign.caps_at - 1)
end

return { steps = steps, taken = taken, add_openings = add_openings, hold_ends = hold_ends }
