-- Decides which campaign a user sees now: the first of the list whose window contains now, whose
-- target contains the user, whose caps have room, and that the user has not stopped.
--
-- KEYS  the packed list, the user's record, the event stream, then every audience in the list's
--       order: its key, or for a string id the key where string ids lie
-- ARGV  the version of the list the caller knows; the user's id; the user's bit in bitmaps ('' for a string id);
--       now, and the starts of day, week and month, ms; the session or ''; the id of this showing
-- Returns {'show', campaign id} | {'none'} | {'stale'} (another list was published: read it and ask
--       again) | {'unpublished'} (there is no list)
--
-- Why one script: selection and, with count_on serve, the count are one step, so two logins at the
-- same instant cannot both take the last place.
-- @use campaigns caps record events

local list_key, record_key, stream_key = KEYS[1], KEYS[2], KEYS[3]
local KEYS_BEFORE_AUDIENCES = 3
local seen_version, user_id, user_bit, now_text = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local clock = {
  now = tonumber(now_text), day = tonumber(ARGV[5]), week = tonumber(ARGV[6]), month = tonumber(ARGV[7]), session = ARGV[8],
}
local impression_id = ARGV[9]

local list, why = campaigns.open(list_key, seen_version)
if not list then return { why } end

local known = {}
local function member(audience)
  local answer = known[audience]
  if answer ~= nil then return answer end
  local key = KEYS[KEYS_BEFORE_AUDIENCES + audience + 1]
  local encoding = string.byte(list.raw, list.audiences_at + 2 + audience + 1)
  if bit.band(encoding, campaigns.SET) ~= 0 then
    answer = redis.call('SISMEMBER', key, user_id) == 1
  elseif user_bit ~= '' then
    answer = redis.call('GETBIT', key, user_bit) == 1
  else
    answer = bit.band(encoding, campaigns.STRINGS) ~= 0 and redis.call('SISMEMBER', key, user_id) == 1
  end
  known[audience] = answer
  return answer
end

local function targeted(campaign)
  local step = campaign.entry
  while step < campaigns.REJECT do
    local audience, yes, no = struct.unpack('>I2BB', list.raw, campaign.steps_at + step * 4 + 1)
    step = member(audience) and yes or no
  end
  return step == campaigns.ACCEPT
end

local user = record.load(record_key)
local policy = campaigns.policy(list)
local at = campaigns.FIRST_AT
for _ = 1, list.active do
  local campaign = campaigns.read(list, at)
  at = campaign.next_at
  -- Cheapest first: the window is in hand, the record is read, an audience is a call each.
  if campaign.starts <= clock.now and clock.now < campaign.ends
    and not record.stopped(user, campaign)
    and record.room(user, list, campaign, policy, clock)
    and targeted(campaign)
  then
    if bit.band(campaign.flags, campaigns.SERVE) ~= 0 then
      record.count(user, campaign, policy, clock.now, clock.session, clock.now)
      record.remember(user, events.KIND.impression, impression_id, clock.now, clock.now)
      record.save(user, record_key, list)
      events.append(stream_key, 'impression', campaign.id, user_id, impression_id, now_text, '0', clock.session)
    end
    return { 'show', campaign.id }
  end
end
return { 'none' }
