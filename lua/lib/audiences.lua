-- Who is in which audience. Most audiences stand in an index that is turned on its side: for each user
-- a row with one bit for every audience in it, so that one read answers for all of them. An audience that
-- is not (yet) in the index is asked by itself. src/audience-rows.ts describes the rows.
--
-- A user is a table with row, kept here, and what direct.lua says.

-- Reads the user's row: bytes from..to of a string, or the field `from` of a hash when `to` is '', or
-- nothing when both are ''.
local function read_row(user, key, from, to)
  if to ~= '' then user.row = redis.call('GETRANGE', key, from, to)
  elseif from ~= '' then user.row = redis.call('HGET', key, from) or ''
  else user.row = '' end
end

-- True when the user is in the audience.
--   direct_at  where in KEYS the keys of the audiences outside the index begin
local function has(user, audience, direct_at)
  if audience.slot then
    local byte = string.byte(user.row, audience.byte)
    return byte ~= nil and bit.band(byte, audience.mask) ~= 0
  end
  return direct.has(user, audience, direct_at)
end

-- The next byte of the row that has a bit, from the `from`-th on: its number from 1, and the slots of its bits.
local function next_slots(row, from)
  -- The search runs in C; a loop over the bytes would not.
  local at = string.find(row, '[^%z]', from)
  if not at then return nil end
  local byte, slot, slots, count = string.byte(row, at), (at - 1) * 8, {}, 0
  while byte > 0 do
    if byte >= 128 then
      count = count + 1
      slots[count] = slot
      byte = byte - 128
    end
    byte, slot = byte * 2, slot + 1
  end
  return at, slots
end

return { read_row = read_row, has = has, next_slots = next_slots }
