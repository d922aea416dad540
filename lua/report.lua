-- Takes some reports. An impression is counted once, unless a cap has no room, and recorded either way;
-- a click or a dismissal is noted once in the user's record and recorded.
--
-- KEYS  the packed list, the event stream; then for every report the user's record
-- ARGV  the version of the list the caller knows; now, and the starts of day, week and month, ms; how many
--       reports; then for every report: 'impression' | 'click' | 'dismiss'; campaign id; user id; impression id;
--       session or ''
-- Returns {'taken', for each report: the user's count when it is counted, or 'duplicate' | 'capped' | 'recorded' |
--       'unknown' (no such campaign) | a text: why it was not taken} | {'stale'} | {'unpublished'}
--
-- Why the event is appended here: count and event are one step, so reports and caps cannot differ.
-- @use campaigns caps ids record events ledger

local list_key, stream_key = KEYS[1], KEYS[2]
local seen_version, now_text = ARGV[1], ARGV[2]
local clock = { now = tonumber(now_text), day = tonumber(ARGV[3]), week = tonumber(ARGV[4]), month = tonumber(ARGV[5]) }
local reports = tonumber(ARGV[6])
local KEYS_BEFORE, ARGS_BEFORE, ARGS_EACH = 2, 6, 5
local MASK = { click = 1, dismiss = 2 }

local list, why = campaigns.open(list_key, seen_version)
if not list then return { why } end
local policy = campaigns.policy(list)

local function take(i)
  local record_key, arg_at = KEYS[KEYS_BEFORE + i + 1], ARGS_BEFORE + i * ARGS_EACH
  local kind, campaign_id, user_id, impression_id, session =
    ARGV[arg_at + 1], ARGV[arg_at + 2], ARGV[arg_at + 3], ARGV[arg_at + 4], ARGV[arg_at + 5]
  local campaign = campaigns.find(list, tonumber(campaign_id))
  if not campaign then return 'unknown' end
  local user, name = ledger.record(record_key), ids.name(kind, impression_id)
  if record.knows(user, name) then return 'duplicate' end

  local answer, over_cap = 'recorded', '0'
  if MASK[kind] then record.react(user, campaign, MASK[kind], clock.now)
  elseif record.room(user, campaign, policy, clock, session) then
    answer = record.count(user, campaign, policy, clock.now, session, clock.now)
  else answer, over_cap = 'capped', '1' end
  record.remember(user, name, clock.now, clock.now)
  ledger.note(record_key, events.text(kind, campaign_id, user_id, impression_id, now_text, over_cap, session))
  return answer
end

return ledger.run('taken', reports, take, stream_key, list)
