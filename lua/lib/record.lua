-- A user's record, the hash user:{id}:impressions. One read, changes in memory, one write.
--
--   {campaign}   impressions counted              n   the same over all campaigns, if the policy asks
--   t{campaign}  latest show times, 6 bytes each  t   the same over all campaigns
--   s{campaign}  impressions per session          s   the same over all campaigns
--   x{campaign}  reactions: 1 click + 2 dismiss   r   reports of the last day, ids.lua
--                                                 h   places held in the caps, holds.lua
--
-- s is a list of ~session=count@time, time in hexadecimal seconds. ~ = @ are in no session's name, so a plain
-- search cannot be misled.

local record = {}

local DAY_MS = 86400000
-- Late reports are taken for a week after a campaign's end; a count has to be there for them.
local GRACE_MS = 7 * DAY_MS
local SESSIONS_BYTES = 2048

-- `blank`: nothing is in it; `fresh`: nothing was in it when it was read.
function record.load(key)
  local flat = redis.call('HGETALL', key)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return { fields = fields, blank = #flat == 0, fresh = #flat == 0, changed = {}, gone = {}, ttl = 0 }
end

function record.empty()
  return { fields = {}, blank = true, fresh = true, changed = {}, gone = {}, ttl = 0 }
end

-- '' takes the field away.
local function put(user, field, value)
  local there = value ~= ''
  user.fields[field] = there and value or nil
  user.changed[field], user.gone[field] = there or nil, not there or nil
  user.blank = false
end

-- The names of a campaign's fields. Lua takes longer to write a number than to read a field.
local function names(campaign)
  local found = campaign.names
  if not found then
    local id = tostring(campaign.id)
    found = { count = id, times = 't' .. id, sessions = 's' .. id, reactions = 'x' .. id }
    campaign.names = found
  end
  return found
end

-- The fields that say whether the campaign has room for a user, and whether the user stopped it.
local function asked_fields(campaign, policy)
  local own, fields = names(campaign), {}
  local function add(wanted, field) if wanted then fields[#fields + 1] = field end end
  add(campaign.caps > 0, own.count)
  add(campaign.keep > 0, own.times)
  add(bit.band(campaign.flags, campaigns.SESSIONS) ~= 0, own.sessions)
  add(campaign.stops > 0, own.reactions)
  if not campaign.exempt then
    add(bit.band(policy.flags, campaigns.POLICY_TOTAL) ~= 0, 'n')
    add(policy.keep > 0, 't')
    add(bit.band(policy.flags, campaigns.POLICY_SESSIONS) ~= 0, 's')
  end
  return fields
end

-- As much of a record as record.full and record.stopped need for one campaign: a faithful customer's has
-- many more fields. Nothing can be counted in it.
function record.glance(key, campaign, policy)
  -- Most customers have none, and asking for its fields costs more than asking whether it is there.
  if redis.call('EXISTS', key) == 0 then return { blank = true } end
  campaign.asked = campaign.asked or asked_fields(campaign, policy)
  local values = redis.call('HMGET', key, unpack(campaign.asked))
  local fields, blank = {}, true
  for i, field in ipairs(campaign.asked) do
    if values[i] then
      fields[field] = values[i]
      blank = false
    end
  end
  return { fields = fields, blank = blank }
end

local function stretch(user, ttl)
  if ttl > user.ttl then user.ttl = ttl end
end

-- The places that are held in this record now, as holds.read has them.
local function held(user, now)
  user.held = user.held or holds.read(user.fields['h'] or '', now)
  return user.held
end

record.held = held

-- Whether one more place can be held.
function record.may_hold(user, now)
  return user.blank or held(user, now).n < holds.MOST
end

-- Holds a place for a showing. `name` is what its report will be recognised by.
function record.hold(user, campaign, session, name, now)
  put(user, 'h', holds.with(held(user, now), now + campaign.reserve_ms, campaign.id, session, name))
  stretch(user, campaign.reserve_ms)
  user.held = nil
end

-- Gives the place back that is held for this report, if one is.
function record.release(user, name)
  local list = user.fields['h'] and holds.without(user.fields['h'], name)
  if not list then return end
  put(user, 'h', list)
  user.held = nil
end

-- Takes over the places that were held in the record that this one replaces.
function record.keep_holds(user, list, now)
  local live = holds.read(list, now)
  if live.n == 0 then return end
  put(user, 'h', live.text)
  -- How long the longest lasts is not worth a look: a place is held for an hour at most.
  stretch(user, 3600000)
end

local function stamp(at)
  return string.format('%x', math.floor(at / 1000))
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

-- True when a report of this name (ids.name) was taken within a day.
function record.knows(user, name)
  local list = user.fields['r']
  return list ~= nil and ids.has(list, name)
end

-- Remembers the report, so that it is taken once. `at` is its time, `now` the present, ms.
function record.remember(user, name, at, now)
  put(user, 'r', ids.with(user.fields['r'] or '', name, at, now))
  stretch(user, DAY_MS)
end

-- The clocks of several API processes differ: a time goes to its place, not simply to the end.
local function with_time(times, at, keep)
  local behind = #times
  while behind >= 6 and struct.unpack('>I6', times, behind - 5) > at do behind = behind - 6 end
  times = string.sub(times, 1, behind) .. struct.pack('>I6', at) .. string.sub(times, behind + 1)
  return string.sub(times, -6 * keep)
end

local function with_session(sessions, session, at, now)
  local count = caps.in_session(sessions, session) + 1
  local first = string.find(sessions, '~' .. session .. '=', 1, true)
  if first then
    local _, last = string.find(sessions, '^[^@]*@%x+', first)
    sessions = string.sub(sessions, 1, first - 1) .. string.sub(sessions, last + 1)
  end
  return trim_sessions(sessions .. '~' .. session .. '=' .. count .. '@' .. stamp(at), now)
end

-- What the campaign's own caps are held against, as caps.full takes it.
function record.own_use(user, campaign, session, live)
  local fields, own, places, in_session = user.fields, names(campaign), 0, 0
  if live then places, in_session = holds.of(live, campaign.id, session) end
  return tonumber(fields[own.count] or 0), fields[own.times] or '', fields[own.sessions] or '', session, places, in_session
end

-- The same for the caps of the policy.
function record.whole_use(user, session, live)
  local fields, places, in_session = user.fields, 0, 0
  if live then places, in_session = holds.of_all(live, session) end
  return tonumber(fields['n'] or 0), fields['t'] or '', fields['s'] or '', session, places, in_session
end

-- The first cap that has no room, the campaign's own before the policy's, from which an exempt one is free; nil when each has.
--   clock    {now, day, week, month}, ms, of the showing; present: of the call
--   session  '' when the request names none
function record.full(user, campaign, policy, clock, session)
  -- Every cap allows one impression at least.
  if user.blank then return nil end
  local live = user.fields['h'] and held(user, clock.present)
  if campaign.caps > 0 then
    campaign.checks = campaign.checks or caps.read(campaign.raw, campaign.caps_at, campaign.caps, clock)
    local full = caps.full(campaign.checks, 1, record.own_use(user, campaign, session, live))
    if full then return full end
  end
  if campaign.exempt or policy.caps == 0 then return nil end
  policy.checks = policy.checks or caps.read(policy.raw, policy.caps_at, policy.caps, clock)
  return caps.full(policy.checks, 1, record.whole_use(user, session, live))
end

-- The reactions that ended the campaign for this user: 1 click + 2 dismiss; nil when none did.
function record.stopped(user, campaign)
  if campaign.stops == 0 or user.blank then return nil end
  local reactions = user.fields[names(campaign).reactions]
  local stops = reactions and bit.band(campaign.stops, tonumber(reactions))
  return stops ~= 0 and stops or nil
end

-- Counts one impression, of whatever campaign, towards the policy.
function record.count_for_policy(user, policy, at, session, now)
  local fields = user.fields
  if policy.keep > 0 then put(user, 't', with_time(fields['t'] or '', at, policy.keep)) end
  if bit.band(policy.flags, campaigns.POLICY_TOTAL) ~= 0 then put(user, 'n', tostring(tonumber(fields['n'] or 0) + 1)) end
  if session ~= '' and bit.band(policy.flags, campaigns.POLICY_SESSIONS) ~= 0 then
    put(user, 's', with_session(fields['s'] or '', session, at, now))
  end
  stretch(user, math.max(policy.ttl, DAY_MS))
end

-- Counts one impression of the campaign at the time `at`; returns the new count.
function record.count(user, campaign, policy, at, session, now)
  local fields, own = user.fields, names(campaign)
  local count = tonumber(fields[own.count] or 0) + 1
  put(user, own.count, tostring(count))
  if campaign.keep > 0 then put(user, own.times, with_time(fields[own.times] or '', at, campaign.keep)) end
  if session ~= '' and bit.band(campaign.flags, campaigns.SESSIONS) ~= 0 then
    put(user, own.sessions, with_session(fields[own.sessions] or '', session, at, now))
  end
  stretch(user, math.max(campaign.ttl, DAY_MS))
  record.count_for_policy(user, policy, at, session, now)
  if bit.band(campaign.flags, campaigns.UNTIL_END) ~= 0 then stretch(user, campaign.ends - now + GRACE_MS) end
  return count
end

-- Notes a reaction (1 click, 2 dismiss). It is kept whether or not it stops the campaign today.
function record.react(user, campaign, reaction, now)
  local field = names(campaign).reactions
  put(user, field, tostring(bit.bor(tonumber(user.fields[field] or 0), reaction)))
  stretch(user, math.max(campaign.ends - now + GRACE_MS, DAY_MS))
end

-- The campaign of a field that is one campaign's, or nil.
local function campaign_of(field)
  return tonumber(string.match(field, '^[tsx]?(%d+)$'))
end
record.campaign_of = campaign_of

-- The same few lifetimes come again and again.
local lifetimes = {}

-- Lua's stack holds some thousands of values; a record may have more fields than that.
local MOST_VALUES = 1000

local function call_with(command, key, values)
  for from = 1, #values, MOST_VALUES do
    redis.call(command, key, unpack(values, from, math.min(from + MOST_VALUES - 1, #values)))
  end
end

-- Writes what changed, lets the fields of campaigns that left the list go, and extends the expiry
-- where this report needs it longer; it is never shortened.
function record.save(user, key, list)
  local sets, gone = {}, {}
  for field in pairs(user.gone) do gone[#gone + 1] = field end
  for field in pairs(user.changed) do
    sets[#sets + 1] = field
    sets[#sets + 1] = user.fields[field]
  end
  if not user.fresh then
    for field in pairs(user.fields) do
      if not user.changed[field] then
        local id = campaign_of(field)
        if id and not campaigns.find(list, id) then gone[#gone + 1] = field end
      end
    end
  end
  call_with('HSET', key, sets)
  call_with('HDEL', key, gone)
  if user.fresh or redis.call('PTTL', key) < user.ttl then
    lifetimes[user.ttl] = lifetimes[user.ttl] or string.format('%.0f', user.ttl)
    redis.call('PEXPIRE', key, lifetimes[user.ttl])
  end
end

return record
