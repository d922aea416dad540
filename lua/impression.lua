-- Takes one reported impression: counted once, unless a cap has no room; recorded either way.
--
-- KEYS  the packed list, the user's record, the event stream
-- ARGV  the version of the list the caller knows; campaign id; user id; impression id; session or '';
--       now, and the starts of day, week and month, ms
-- Returns {'counted', the user's count} | {'duplicate'} | {'capped'} | {'unknown'} (no such campaign)
--       | {'stale'} | {'unpublished'}
--
-- Why the event is appended here: count and event are one step, so reports and caps cannot differ.
-- @use campaigns caps record events

local list_key, record_key, stream_key = KEYS[1], KEYS[2], KEYS[3]
local seen_version, campaign_id, user_id, impression_id, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now_text = ARGV[6]
local clock = {
  now = tonumber(now_text), day = tonumber(ARGV[7]), week = tonumber(ARGV[8]), month = tonumber(ARGV[9]), session = session,
}

local list, why = campaigns.open(list_key, seen_version)
if not list then return { why } end
local at = campaigns.find(list, tonumber(campaign_id))
if not at then return { 'unknown' } end

local user = record.load(record_key)
if record.knows(user, events.KIND.impression, impression_id) then return { 'duplicate' } end

local campaign, policy = campaigns.read(list, at), campaigns.policy(list)
local room = record.room(user, list, campaign, policy, clock)
local count = room and record.count(user, campaign, policy, clock.now, session, clock.now)
record.remember(user, events.KIND.impression, impression_id, clock.now, clock.now)
record.save(user, record_key, list)
events.append(stream_key, 'impression', campaign_id, user_id, impression_id, now_text, room and '0' or '1', session)
if room then return { 'counted', count } end
return { 'capped' }
