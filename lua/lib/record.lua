-- A user's record, the hash user:{id}:impressions: what is in it, and what that says of caps. counting.lua changes it.
--
--   {campaign}   impressions counted              n   the same over all campaigns, if the policy asks
--   t{campaign}  latest show times, 6 bytes each  t   the same over all campaigns
--   s{campaign}  impressions per session          s   the same over all campaigns
--   x{campaign}  reactions: 1 click + 2 dismiss   r   reports of the last day, ids.lua
--                                                 h   places held in the caps, holds.lua
--
-- s is a list of ~session=count@time, time in hexadecimal seconds. ~ = @ are in no session's name, so a plain
-- search cannot be misled.

-- A record of these fields. `blank`: nothing is in it; `fresh`: nothing was in it when it was read; `sets`: fields and values,
-- in turn, that are to be written, with room for those of most reports: a table that grows is copied at every doubling.
local function of_fields(fields, blank)
  return { fields = fields, blank = blank, fresh = blank, sets = { nil, nil, nil, nil, nil, nil, nil, nil }, ttl = 0 }
end

local function load(key)
  local flat = redis.call('HGETALL', key)
  local values = #flat
  if values == 0 then return of_fields(flat, true) end
  local fields = {}
  for i = 1, values, 2 do fields[flat[i]] = flat[i + 1] end
  return of_fields(fields, false)
end

local function empty()
  return of_fields({}, true)
end

-- The field of a campaign's count. Lua takes longer to write a number than to read a field.
local function count_field(campaign)
  local text = campaign.text
  if not text then
    text = tostring(campaign.id)
    campaign.text = text
  end
  return text
end

-- The fields that say whether the campaign has room for a user, and whether the user stopped it.
local function asked_fields(campaign, policy)
  local own, fields = count_field(campaign), {}
  local function add(wanted, field) if wanted then fields[#fields + 1] = field end end
  add(campaign.caps > 0, own)
  add(campaign.keep > 0, 't' .. own)
  add(bit.band(campaign.flags, campaigns.SESSIONS) ~= 0, 's' .. own)
  add(campaign.stops > 0, 'x' .. own)
  if not campaign.exempt then
    add(bit.band(policy.flags, campaigns.POLICY_TOTAL) ~= 0, 'n')
    add(policy.keep > 0, 't')
    add(bit.band(policy.flags, campaigns.POLICY_SESSIONS) ~= 0, 's')
  end
  return fields
end

-- As much of a record as `full` and `stopped` need for one campaign: a faithful customer's has many more fields.
-- Nothing can be counted in it.
local function glance(key, campaign, policy)
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

-- The places that are held in this record now, as holds.read has them.
local function held(user, now)
  user.held = user.held or holds.read(user.fields['h'] or '', now)
  return user.held
end

-- Whether one more place can be held.
local function may_hold(user, now)
  return user.blank or held(user, now).n < holds.MOST
end

-- True when a report of this name (ids.name) was taken within a day.
local function knows(user, name)
  local list = user.fields['r']
  return list ~= nil and ids.has(list, name)
end

-- What the campaign's own caps are held against, as caps.full takes it.
local function own_use(user, campaign, session, live)
  local fields, own, places, in_session = user.fields, count_field(campaign), 0, 0
  if live then places, in_session = holds.of(live, campaign.id, session) end
  local sessions = session ~= '' and fields['s' .. own] or ''
  return tonumber(fields[own] or 0), fields['t' .. own] or '', sessions, session, places, in_session
end

-- The same for the caps of the policy.
local function whole_use(user, session, live)
  local fields, places, in_session = user.fields, 0, 0
  if live then places, in_session = holds.of_all(live, session) end
  return tonumber(fields['n'] or 0), fields['t'] or '', fields['s'] or '', session, places, in_session
end

-- The first cap that has no room, the campaign's own before the policy's, from which an exempt one is free; nil when each has.
--   clock    {now, day, week, month}, ms, of the showing; present: of the call
--   session  '' when the request names none
local function full(user, campaign, policy, clock, session)
  -- Every cap allows one impression at least.
  if user.blank then return nil end
  local live = user.fields['h'] and held(user, clock.present)
  if campaign.caps > 0 then
    local found = caps.full(campaign, clock, 1, own_use(user, campaign, session, live))
    if found then return found end
  end
  if campaign.exempt or policy.caps == 0 then return nil end
  return caps.full(policy, clock, 1, whole_use(user, session, live))
end

-- The reactions that ended the campaign for this user: 1 click + 2 dismiss; nil when none did.
local function stopped(user, campaign)
  if campaign.stops == 0 then return nil end
  local reactions = user.fields['x' .. count_field(campaign)]
  local stops = reactions and bit.band(campaign.stops, tonumber(reactions))
  return stops ~= 0 and stops or nil
end

-- The id of the campaign whose field it is, as text, or nil.
local function campaign_of(field)
  return string.match(field, '^[tsx]?(%d+)$')
end

return {
  load = load, empty = empty, count_field = count_field, glance = glance, held = held, may_hold = may_hold, knows = knows, own_use = own_use,
  whole_use = whole_use, full = full, stopped = stopped, campaign_of = campaign_of,
}
