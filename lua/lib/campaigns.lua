-- The packed campaign list; src/packed-list.ts writes it and describes the layout.
-- Positions in the list count from 0, Lua's strings from 1.

local campaigns = {
  EXEMPT = 1, SERVE = 2, STOPS = 12, STOP_SHIFT = 4, UNTIL_END = 16, SESSIONS = 32,
  POLICY_TOTAL = 1, POLICY_SESSIONS = 2,
  FIRST_AT = 52, ACCEPT = 255, REJECT = 254, BITMAP = 1, SET = 2, STRINGS = 4,
}

-- The header of a list, or nil and 'unpublished' | 'stale': the caller must know the list it asks
-- about, because it named the audiences' keys and the windows' starts from it.
function campaigns.open(key, seen_version)
  local raw = redis.call('GET', key)
  if not raw then return nil, 'unpublished' end
  local magic, version, active, indexed, index_at, policy_at, audiences_at =
    struct.unpack('>c4c24I4I4I4I4I4', raw)
  if magic ~= 'PLv1' then return nil, 'unpublished' end
  if version ~= seen_version then return nil, 'stale' end
  return {
    raw = raw, active = active, indexed = indexed, index_at = index_at,
    policy_at = policy_at, audiences_at = audiences_at,
  }
end

-- The campaign at a position.
function campaigns.read(list, at)
  local id, starts, ends, flags, keep, ttl, caps, entry, steps, after =
    struct.unpack('>I4I6I6BBI6BBB', list.raw, at + 1)
  local steps_at = after - 1 + caps * 11
  return {
    id = id, starts = starts, ends = ends, flags = flags, keep = keep, ttl = ttl,
    caps = caps, caps_at = after - 1, entry = entry, steps_at = steps_at, next_at = steps_at + steps * 4,
  }
end

-- The caps over all popups of a user together.
function campaigns.policy(list)
  local flags, keep, ttl, caps, after = struct.unpack('>BBI6B', list.raw, list.policy_at + 1)
  return { flags = flags, keep = keep, ttl = ttl, caps = caps, caps_at = after - 1 }
end

-- The position of a campaign by its id, or nil; a binary search of the index.
function campaigns.find(list, id)
  local low, high = 0, list.indexed - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local found, at = struct.unpack('>I4I4', list.raw, list.index_at + middle * 8 + 1)
    if found == id then return at end
    if found < id then low = middle + 1 else high = middle - 1 end
  end
  return nil
end

return campaigns
