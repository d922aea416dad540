-- Takes one reported click or dismissal: noted once in the user's record, and recorded as an event.
--
-- KEYS  the packed list, the user's record, the event stream
-- ARGV  the version of the list the caller knows; 'click' | 'dismiss'; campaign id; user id;
--       impression id; session or ''; now, ms
-- Returns {'recorded'} | {'duplicate'} | {'unknown'} | {'stale'} | {'unpublished'}
-- @use campaigns caps record events

local list_key, record_key, stream_key = KEYS[1], KEYS[2], KEYS[3]
local seen_version, reaction, campaign_id, user_id, impression_id, session, now_text =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local now = tonumber(now_text)
local MASK = { click = 1, dismiss = 2 }

local list, why = campaigns.open(list_key, seen_version)
if not list then return { why } end
local at = campaigns.find(list, tonumber(campaign_id))
if not at then return { 'unknown' } end

local user = record.load(record_key)
if record.knows(user, events.KIND[reaction], impression_id) then return { 'duplicate' } end
record.react(user, campaigns.read(list, at), MASK[reaction], now)
record.remember(user, events.KIND[reaction], impression_id, now, now)
record.save(user, record_key, list)
events.append(stream_key, reaction, campaign_id, user_id, impression_id, now_text, '0', session)
return { 'recorded' }
