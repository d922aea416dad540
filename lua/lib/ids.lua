-- The reports of a user that were taken within a day: the field r of a record, and how a retry is recognised.
--
-- A list of: head u8, id, minute u24 (modulo 2^24, which are 32 years). head is the kind (0 impression, 1 click,
-- 2 dismiss) times 65 and the id's length; for a UUID in lower case that is 0, and the id 16 bytes instead of 36:
-- most of a record is this.

local KIND = { impression = 0, click = 1, dismiss = 2 }

-- More reports of one user in a day than fit here are no customer's.
local MOST_BYTES = 8192
local MINUTE_MS, DAY_MINUTES, ROUND = 60000, 1440, 2 ^ 24

-- What a report is remembered by: the head and the id of its entry.
local function name(kind, id)
  if #id == 36 and string.lower(id) == id then
    local a, b, c, d, e = string.match(id, '^(%x+)%-(%x+)%-(%x+)%-(%x+)%-(%x+)$')
    -- Five numbers of 8, 4, 4, 4, 12 digits, as three of 12, 8, 12: a number here is exact up to 13.
    if a and #a == 8 and #b == 4 and #c == 4 and #d == 4 then
      return struct.pack('>BI6I4I6', KIND[kind] * 65, tonumber(a .. b, 16), tonumber(c .. d, 16), tonumber(e, 16))
    end
  end
  return string.char(KIND[kind] * 65 + #id) .. id
end

local function minute_of(at)
  return (at - at % MINUTE_MS) / MINUTE_MS % ROUND
end

-- The bytes of the name that begins at `at`.
local function length(list, at)
  local length = string.byte(list, at) % 65
  return 1 + (length == 0 and 16 or length)
end

-- Where the entry behind the one at `at` begins.
local function behind(list, at)
  return at + 3 + length(list, at)
end

-- Drops the oldest ids while they are older than a day or the list is too long.
local function trim(list, now)
  local from, minute = 1, minute_of(now)
  while from <= #list do
    local after = behind(list, from)
    local age = (minute - struct.unpack('>I3', list, after - 3)) % ROUND
    -- The clock of another process may be ahead: such an entry seems to be of the round before.
    if (age <= DAY_MINUTES or age > ROUND / 2) and #list - from < MOST_BYTES then break end
    from = after
  end
  return from == 1 and list or string.sub(list, from)
end

-- True when a report of this name is in the list.
local function has(list, name)
  local found = string.find(list, name, 1, true)
  while found do
    -- The bytes may be there by chance, across two entries.
    local at = 1
    while at < found do at = behind(list, at) end
    if at == found then return true end
    found = string.find(list, name, found + 1, true)
  end
  return false
end

-- The list, or nil, with one more report. `at` is the report's time, `now` the present, ms.
local function with(list, name, at, now)
  local entry = name .. struct.pack('>I3', minute_of(at))
  return list and trim(list .. entry, now) or entry
end

return { KIND = KIND, name = name, length = length, has = has, with = with }
