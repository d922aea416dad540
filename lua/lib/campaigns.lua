-- The packed campaign list; src/packed-list.ts writes it and describes the layout.
-- Positions in the list count from 0, Lua's strings from 1. What is read is kept for the call: a
-- call serves many users.

local campaigns = {
  EXEMPT = 1, SERVE = 2, STOPS = 12, STOP_SHIFT = 4, UNTIL_END = 16, SESSIONS = 32,
  POLICY_TOTAL = 1, POLICY_SESSIONS = 2,
  ACCEPT = 255, REJECT = 254, SET = 2, STRINGS = 4, NOT_INDEXED = 65535,
}

-- The header of a list, or nil and 'unpublished' | 'stale': the caller must know the list it asks
-- about, because it named the audiences' keys and the windows' starts from it.
function campaigns.open(key, seen_version)
  local raw = redis.call('GET', key)
  if not raw then return nil, 'unpublished' end
  local magic, version, active, listed, index_at, policy_at, places_at, always_at, bounds_at, slots_at, audiences_at =
    struct.unpack('>c4c24I4I4I4I4I4I4I4I4I4', raw)
  if magic ~= 'PLv2' then return nil, 'unpublished' end
  if version ~= seen_version then return nil, 'stale' end
  return {
    raw = raw, active = active, listed = listed, index_at = index_at, policy_at = policy_at, places_at = places_at,
    always_at = always_at, bounds_at = bounds_at, slots_at = slots_at, audiences_at = audiences_at,
    by_place = {}, by_id = {}, by_slot = {}, bounds = {}, audiences = {},
  }
end

local function read(list, at)
  local id, starts, ends, flags, keep, ttl, caps, entry, _, after =
    struct.unpack('>I4I6I6BBI6BBB', list.raw, at + 1)
  return {
    id = id, starts = starts, ends = ends, flags = flags, keep = keep, ttl = ttl, caps = caps, caps_at = after - 1,
    exempt = bit.band(flags, campaigns.EXEMPT) ~= 0, stops = bit.band(flags, campaigns.STOPS) / campaigns.STOP_SHIFT,
    entry = entry, steps = {}, steps_at = after - 1 + caps * 11,
  }
end

-- The active campaign at a place in the order of selection, from 0.
function campaigns.nth(list, place)
  local campaign = list.by_place[place]
  if not campaign then
    campaign = read(list, struct.unpack('>I4', list.raw, list.places_at + place * 4 + 1))
    list.by_place[place] = campaign
  end
  return campaign
end

local function search(list, id)
  local low, high = 0, list.listed - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local found, at = struct.unpack('>I4I4', list.raw, list.index_at + middle * 8 + 1)
    if found == id then return read(list, at) end
    if found < id then low = middle + 1 else high = middle - 1 end
  end
  return false
end

-- A campaign by its id, active or not, or false.
function campaigns.find(list, id)
  local campaign = list.by_id[id]
  if campaign == nil then
    campaign = search(list, id)
    list.by_id[id] = campaign
  end
  return campaign
end

-- The caps over all popups of a user together.
function campaigns.policy(list)
  local flags, keep, ttl, caps, after = struct.unpack('>BBI6B', list.raw, list.policy_at + 1)
  return { flags = flags, keep = keep, ttl = ttl, caps = caps, caps_at = after - 1 }
end

local function places(raw, at)
  local found, high, low = {}, string.byte(raw, at + 1, at + 2)
  for i = 1, high * 256 + low do
    high, low = string.byte(raw, at + i * 2 + 1, at + i * 2 + 2)
    found[i] = high * 256 + low
  end
  return found
end

-- The places of the campaigns that may mean a user whatever audiences the user is in, ascending.
function campaigns.always(list)
  list.for_all = list.for_all or places(list.raw, list.always_at)
  return list.for_all
end

-- The places of the campaigns that may mean a member of the audience in this slot of the index, ascending.
function campaigns.of_slot(list, slot)
  local found = list.by_slot[slot]
  if not found then
    found = places(list.raw, struct.unpack('>I4', list.raw, list.slots_at + slot * 4 + 1))
    list.by_slot[slot] = found
  end
  return found
end

-- The first place that any slot of a row's byte, counted from 1, or of those behind it leads to.
function campaigns.bound(list, byte)
  local bound = list.bounds[byte]
  if not bound then
    bound = struct.unpack('>I2', list.raw, list.bounds_at + byte * 2 - 1)
    list.bounds[byte] = bound
  end
  return bound
end

-- How an audience is asked about: its slot in the index, with the byte and mask of its bit in a row; or its
-- number among those that are not in the index.
local function audience(list, number)
  local found = list.audiences[number]
  if not found then
    local flags, slot, direct = struct.unpack('>BI2I2', list.raw, list.audiences_at + 2 + number * 5 + 1)
    found = { flags = flags, direct = direct }
    if slot ~= campaigns.NOT_INDEXED then
      found.slot, found.byte, found.mask = slot, math.floor(slot / 8) + 1, 2 ^ (7 - slot % 8)
    end
    list.audiences[number] = found
  end
  return found
end

-- A step of the campaign's target: {audience, the next step for a member, the next for anyone else}.
function campaigns.step(list, campaign, number)
  local found = campaign.steps[number]
  if not found then
    local asked, yes, no = struct.unpack('>I2BB', list.raw, campaign.steps_at + number * 4 + 1)
    found = { audience = audience(list, asked), yes = yes, no = no }
    campaign.steps[number] = found
  end
  return found
end

return campaigns
