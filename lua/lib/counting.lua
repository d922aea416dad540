-- Changes to a user's record: what is counted, noted and held in it, in memory, and then one write.

local DAY_MS, HOUR_MS = 86400000, 3600000
-- Late reports are taken for a week after a campaign's end; a count has to be there for them.
local GRACE_MS = 7 * DAY_MS
local SESSIONS_BYTES = 2048

local function put(user, field, value)
  user.fields[field] = value
  user.blank = false
  if user.gone then user.gone[field] = nil end
  -- Of a field that is there twice, for two reports of a call, Redis keeps the last.
  local sets = user.sets
  local n = #sets
  sets[n + 1], sets[n + 2] = field, value
end

-- Takes a field away. It may be among those that are set: what is gone is removed after them.
local function drop(user, field)
  user.fields[field] = nil
  user.gone = user.gone or {}
  user.gone[field] = true
end

local function stretch(user, ttl)
  if ttl > user.ttl then user.ttl = ttl end
end

-- Holds a place for a showing. `name` is what its report will be recognised by.
local function hold(user, campaign, session, name, now)
  put(user, 'h', holds.with(record.held(user, now), now + campaign.reserve_ms, campaign.id, session, name))
  stretch(user, campaign.reserve_ms)
  user.held = nil
end

-- Gives the place back that is held for this report, if one is.
local function release(user, name)
  local list = user.fields['h'] and holds.without(user.fields['h'], name)
  if not list then return end
  if list == '' then drop(user, 'h') else put(user, 'h', list) end
  user.held = nil
end

-- Takes over the places that were held in the record that this one replaces.
local function keep_holds(user, list, now)
  local live = holds.read(list, now)
  if live.n == 0 then return end
  put(user, 'h', live.text)
  -- How long the longest lasts is not worth a look: a place is held for an hour at most.
  stretch(user, HOUR_MS)
end

-- Drops the oldest sessions while they are older than a day or the list is too long.
local function trim_sessions(entries, now)
  local from = 1
  while from <= #entries do
    local _, last, seconds = string.find(entries, '^~[^@]*@(%x+)', from)
    if not last or (tonumber(seconds, 16) * 1000 >= now - DAY_MS and #entries - from < SESSIONS_BYTES) then break end
    from = last + 1
  end
  return string.sub(entries, from)
end

local function with_session(sessions, session, at, now)
  local count = caps.in_session(sessions, session) + 1
  local first = string.find(sessions, '~' .. session .. '=', 1, true)
  if first then
    local _, last = string.find(sessions, '^[^@]*@%x+', first)
    sessions = string.sub(sessions, 1, first - 1) .. string.sub(sessions, last + 1)
  end
  return trim_sessions(sessions .. '~' .. session .. '=' .. count .. '@' .. string.format('%x', math.floor(at / 1000)), now)
end

-- The clocks of several API processes differ: a time goes to its place, not simply to the end.
local function with_time(times, at, keep)
  local packed = struct.pack('>I6', at)
  if not times then return packed end
  local behind = #times
  while behind >= 6 and struct.unpack('>I6', times, behind - 5) > at do behind = behind - 6 end
  times = string.sub(times, 1, behind) .. packed .. string.sub(times, behind + 1)
  return string.sub(times, -6 * keep)
end

-- Remembers the report, so that it is taken once. `at` is its time, `now` the present, ms.
local function remember(user, name, at, now)
  put(user, 'r', ids.with(user.fields['r'], name, at, now))
  stretch(user, DAY_MS)
end

-- Counts one impression, of whatever campaign, towards the policy.
local function count_for_policy(user, policy, at, session, now)
  if policy.caps == 0 then return end
  local fields = user.fields
  if policy.keep > 0 then put(user, 't', with_time(fields['t'], at, policy.keep)) end
  if bit.band(policy.flags, campaigns.POLICY_TOTAL) ~= 0 then put(user, 'n', tostring(tonumber(fields['n'] or 0) + 1)) end
  if session ~= '' and bit.band(policy.flags, campaigns.POLICY_SESSIONS) ~= 0 then
    put(user, 's', with_session(fields['s'] or '', session, at, now))
  end
  stretch(user, policy.ttl)
end

-- Counts one impression of the campaign at the time `at`; returns the new count.
local function count(user, campaign, policy, at, session, now)
  local fields, own = user.fields, record.count_field(campaign)
  local counted = fields[own]
  counted = counted and tonumber(counted) + 1 or 1
  put(user, own, counted == 1 and '1' or tostring(counted))
  if campaign.keep > 0 then
    local field = 't' .. own
    put(user, field, with_time(fields[field], at, campaign.keep))
  end
  if session ~= '' and bit.band(campaign.flags, campaigns.SESSIONS) ~= 0 then
    local field = 's' .. own
    put(user, field, with_session(fields[field] or '', session, at, now))
  end
  count_for_policy(user, policy, at, session, now)
  stretch(user, campaign.ttl)
  if bit.band(campaign.flags, campaigns.UNTIL_END) ~= 0 then stretch(user, campaign.ends - now + GRACE_MS) end
  return counted
end

-- Notes a reaction (1 click, 2 dismiss). It is kept whether or not it stops the campaign today.
local function react(user, campaign, reaction, now)
  local field = 'x' .. record.count_field(campaign)
  put(user, field, tostring(bit.bor(tonumber(user.fields[field] or 0), reaction)))
  stretch(user, math.max(campaign.ends - now + GRACE_MS, DAY_MS))
end

-- The same few lifetimes come again and again, and the same fields.
local lifetimes, over = {}, {}

-- Whether the field is one of a campaign that has left the list.
local function look_over(list, field)
  local id = record.campaign_of(field)
  local is_over = id ~= nil and not by_id.has(list, id)
  over[field] = is_over
  return is_over
end

-- Lua's stack holds some thousands of values; a record may have more fields than that.
local MOST_VALUES = 1000

local function call_with(command, key, values)
  if #values <= MOST_VALUES then return redis.call(command, key, unpack(values)) end
  for from = 1, #values, MOST_VALUES do
    redis.call(command, key, unpack(values, from, math.min(from + MOST_VALUES - 1, #values)))
  end
end

local function names_of(fields)
  local names = {}
  for field in pairs(fields) do names[#names + 1] = field end
  return names
end

-- Writes what changed, lets the fields of campaigns that left the list go, and extends the expiry
-- where this report needs it longer; it is never shortened.
local function save(user, key, list)
  call_with('HSET', key, user.sets)
  local gone = user.gone
  if not user.fresh then
    for field in pairs(user.fields) do
      local is_over = over[field]
      if is_over == nil then is_over = look_over(list, field) end
      if is_over then
        gone = gone or {}
        gone[field] = true
      end
    end
  end
  if gone then call_with('HDEL', key, names_of(gone)) end
  local ttl = user.ttl
  if user.fresh or redis.call('PTTL', key) < ttl then
    lifetimes[ttl] = lifetimes[ttl] or string.format('%.0f', ttl)
    redis.call('PEXPIRE', key, lifetimes[ttl])
  end
end

return {
  hold = hold, release = release, keep_holds = keep_holds, remember = remember, count = count, count_for_policy = count_for_policy,
  react = react, save = save,
}
