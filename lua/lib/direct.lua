-- Audiences that are not (yet) in the index: each is asked by its own keys. Apart from audiences.lua, because most lists have none.
--
-- A user is a table with id, integer (whether it is an integer id), partitions (how many there are) and what is kept here:
-- answers, member, first and step, each false before the first question.

-- The same as src/bloom.ts and src/audience-parts.ts.
local BLOOM_HASHES, PART_BYTES, PART_BITS = 10, 524288, 4194304

local function bit_of(first_key, bit)
  return redis.call('GETBIT', KEYS[first_key + math.floor(bit / PART_BITS)], string.format('%.0f', bit % PART_BITS)) == 1
end

-- What the audiences of a partition call the user: an integer id by its place among those of the partition (src/partition.ts).
local function member_of(user)
  if not user.member then
    user.member = user.integer and user.partitions > 1 and string.format('%.0f', math.floor(tonumber(user.id) / user.partitions)) or user.id
  end
  return user.member
end

-- Whether the user may be among the members of a Bloom filter: all of the user's bits are set.
local function in_bloom(user, first_key, parts)
  local bits = ((parts - 1) * PART_BYTES + redis.call('STRLEN', KEYS[first_key + parts - 1])) * 8
  -- An audience without members has no key.
  if bits == 0 then return false end
  if not user.first then
    local digest = redis.sha1hex(member_of(user))
    user.first, user.step = tonumber(string.sub(digest, 1, 8), 16), tonumber(string.sub(digest, 9, 16), 16)
    if user.step % 2 == 0 then user.step = user.step + 1 end
  end
  for i = 0, BLOOM_HASHES - 1 do
    if not bit_of(first_key, (user.first + i * user.step) % bits) then return false end
  end
  return true
end

-- Whether the user is a member of a set: asked of the part that the hash of the id tells.
local function in_set(user, first_key, parts)
  local hash, member = 0, member_of(user)
  if parts > 1 then
    for at = 1, #member do hash = (hash + string.byte(member, at)) * 648055 % 4294967296 end
    hash = (hash + math.floor(hash / 65536)) * 648055 % 4294967296
  end
  return redis.call('SISMEMBER', KEYS[first_key + math.floor(hash * parts / 4294967296)], member) == 1
end

local function ask(user, audience, direct_at)
  local key, parts = direct_at + audience.keys_at, audience.parts
  if bit.band(audience.flags, campaigns.BLOOM) ~= 0 then return in_bloom(user, key, parts) end
  if bit.band(audience.flags, campaigns.SET) ~= 0 then return in_set(user, key, parts) end
  if user.integer then
    local id = tonumber(member_of(user))
    return id < parts * PART_BITS and bit_of(key, id)
  end
  return audience.string_parts > 0 and in_set(user, key + parts, audience.string_parts)
end

-- True when the user is in the audience.
--   direct_at  where in KEYS the keys of the audiences outside the index begin
local function has(user, audience, direct_at)
  local answers = user.answers
  if not answers then
    answers = {}
    user.answers = answers
  end
  if answers[audience] == nil then answers[audience] = ask(user, audience, direct_at) end
  return answers[audience]
end

return { has = has }
