-- The packed campaign list; src/packed-list.ts writes it and describes the layout.
-- Positions in the list count from 0, Lua's strings from 1. What is read is kept for the call: a
-- call serves many users.

-- Bits of a campaign's flags, of the policy's, and of an audience's.
local EXEMPT, SERVE, STOPS, STOP_SHIFT, UNTIL_END, SESSIONS, TEST = 1, 2, 12, 4, 16, 32, 64
local POLICY_TOTAL, POLICY_SESSIONS = 1, 2
local SET, BLOOM = 2, 8
-- Where a step of a target may lead beside another step.
local REJECT, ACCEPT = 254, 255
local NOT_INDEXED, CAP_BYTES = 65535, 11
-- A read costs about a microsecond, and as much again for each KB, because Lua hashes every byte. So for some requests a list of a
-- hundred campaigns is read whole, of a longer one what it takes; for few requests no more than the header and what is behind it.
local SOME, LAST_FOR_FEW, LAST_FOR_SOME = 4, '1023', '8191'

-- The header of a list, or nil and 'unpublished' | 'stale': the caller must know the list it asks
-- about, because it named the audiences' keys and the windows' starts from it.
local function open(key, seen_version, requests)
  local head = redis.call('GETRANGE', key, '0', requests < SOME and LAST_FOR_FEW or LAST_FOR_SOME)
  if string.sub(head, 1, 4) ~= 'PLv4' then return nil, 'unpublished' end
  local version, stream_max, active, listed, always, policy_at, always_at, bounds_at, slots_at, audiences_at, places_at, index_at =
    struct.unpack('>c24I4I4I4I4I4I4I4I4I4I4I4', head, 5)
  if version ~= seen_version then return nil, 'stale' end
  return {
    key = key, head = head, stream_max = stream_max, active = active, listed = listed, always = always, policy_at = policy_at, always_at = always_at,
    bounds_at = bounds_at, slots_at = slots_at, audiences_at = audiences_at, places_at = places_at, index_at = index_at,
    by_place = {}, by_slot = {}, bounds = {}, first_of = {}, audiences = {},
  }
end

-- Some bytes of the list: a string, and where in it they begin.
local function slice(list, at, length)
  if at + length <= #list.head then return list.head, at + 1 end
  return redis.call('GETRANGE', list.key, at, at + length - 1), 1
end

-- With `text`, `asked` and `steps`, which are added as they are needed, 16 fields: one more and Lua would make room for 32.
local function read(list, at, length)
  local raw, from = slice(list, at, length)
  local id, starts, ends, flags, keep, ttl, reserve, caps, entry, _, after = struct.unpack('>I4I6I6BBI6I2BBB', raw, from)
  return {
    id = id, starts = starts, ends = ends, flags = flags, keep = keep, ttl = ttl, reserve_ms = reserve * 1000, raw = raw, caps = caps, caps_at = after,
    exempt = bit.band(flags, EXEMPT) ~= 0, stops = bit.band(flags, STOPS) / STOP_SHIFT, entry = entry,
  }
end

-- Where in `raw` the steps of a campaign's target begin, or the test users of a draft.
local function steps_at(campaign)
  return campaign.caps_at + campaign.caps * CAP_BYTES
end

-- The campaign at a place of the list, from 0; the active ones come first, in the order of selection.
local function nth(list, place)
  local campaign = list.by_place[place]
  if not campaign then
    campaign = read(list, struct.unpack('>I4I2', slice(list, list.places_at + place * 6, 6)))
    list.by_place[place] = campaign
  end
  return campaign
end

-- Whether the campaign is a draft, and the user one of those who see it all the same.
local function tests(campaign, user_id)
  if bit.band(campaign.flags, TEST) == 0 then return false end
  local length, at = struct.unpack('>I2', campaign.raw, steps_at(campaign))
  return string.find(string.sub(campaign.raw, at, at + length - 1), ' ' .. user_id .. ' ', 1, true) ~= nil
end

-- The caps over all popups of a user together.
local function policy(list)
  local raw, from = slice(list, list.policy_at, list.always_at - list.policy_at)
  local flags, keep, ttl, caps, after = struct.unpack('>BBI6B', raw, from)
  return { raw = raw, flags = flags, keep = keep, ttl = ttl, caps = caps, caps_at = after }
end

local function places(list, at, count)
  local raw, from = slice(list, at, count * 2)
  local found = {}
  for i = 1, count do
    local high, low = string.byte(raw, from + i * 2 - 2, from + i * 2 - 1)
    found[i] = high * 256 + low
  end
  return found
end

-- The places of the campaigns that may mean a user whatever audiences the user is in, ascending.
local function always(list)
  list.for_all = list.for_all or places(list, list.always_at, list.always)
  return list.for_all
end

-- The first of them, or as many places as there are.
local function first_always(list)
  if list.always == 0 then return list.active end
  return struct.unpack('>I2', slice(list, list.always_at, 2))
end

-- The places of the campaigns that may mean a member of the audience in this slot of the index, ascending.
local function of_slot(list, slot)
  local found = list.by_slot[slot]
  if not found then
    found = places(list, struct.unpack('>I4I2', slice(list, list.slots_at + slot * 6, 6)))
    list.by_slot[slot] = found
  end
  return found
end

-- The first place that any slot of a row's byte, counted from 1, or of those behind it leads to.
local function bound(list, byte)
  local bound = list.bounds[byte]
  if not bound then
    bound = struct.unpack('>I2', slice(list, list.bounds_at + byte * 2 - 2, 2))
    list.bounds[byte] = bound
  end
  return bound
end

-- How an audience is asked about: its slot in the index, with the byte and mask of its bit in a row; or where
-- its keys begin among those of all that are not in the index, and how many it has.
local function audience(list, number)
  local found = list.audiences[number]
  if not found then
    local flags, slot, keys_at, parts, string_parts = struct.unpack('>BI2I2I2I2', slice(list, list.audiences_at + number * 9, 9))
    found = { flags = flags, keys_at = keys_at, parts = parts, string_parts = string_parts }
    if slot ~= NOT_INDEXED then
      found.slot, found.byte, found.mask = slot, math.floor(slot / 8) + 1, 2 ^ (7 - slot % 8)
    end
    list.audiences[number] = found
  end
  return found
end

-- A step of the campaign's target: {audience, the next step for a member, the next for anyone else}.
local function step(list, campaign, number)
  local steps = campaign.steps
  if not steps then
    steps = {}
    campaign.steps = steps
  end
  local found = steps[number]
  if not found then
    local asked, yes, no = struct.unpack('>I2BB', campaign.raw, steps_at(campaign) + number * 4)
    found = { audience = audience(list, asked), yes = yes, no = no }
    steps[number] = found
  end
  return found
end

-- Made in one piece, like every module: each call makes them anew, and a table that grows is copied at every doubling.
return {
  open = open, slice = slice, nth = nth, tests = tests, policy = policy, always = always, first_always = first_always, of_slot = of_slot, bound = bound,
  step = step,
}
