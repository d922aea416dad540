-- Takes some reports. An impression is counted once, unless a cap has no room, and recorded either way;
-- a click or a dismissal is noted once in the user's record and recorded.
--
-- KEYS  the packed list, the event stream; then for every report the user's record
-- ARGV  the version of the list the caller knows; now, and the starts of day, week and month, ms; how many
--       reports; 'late' for reports that were accepted earlier, or ''; then for every report: 'impression' | 'click' |
--       'dismiss'; campaign id; user id; impression id; session or ''; with 'late' also when it was accepted, and the
--       starts of that day, week and month
-- Returns {'taken', for each report: the user's count when it is counted, or 'duplicate' | 'capped' | 'recorded' |
--       'unknown' (no such campaign) | a text: why it was not taken; a late one of these two is 'aside': it is in the
--       stream with what is wrong} | {'stale'} | {'unpublished'} | {'full'} (the stream takes no more)
--
-- Why the event is appended here: count and event are one step, so reports and caps cannot differ.
-- @use campaigns by_id (caps) ids (holds) record counting events requests ledger

local list_key, stream_key = KEYS[1], KEYS[2]
local seen_version, now_text = ARGV[1], ARGV[2]
local clock = { now = tonumber(now_text), day = tonumber(ARGV[3]), week = tonumber(ARGV[4]), month = tonumber(ARGV[5]) }
local reports, late = tonumber(ARGV[6]), ARGV[7] == 'late'
local KEYS_BEFORE, ARGS_BEFORE = 2, 7
local args_each = late and 9 or 5
local MASK = { click = 1, dismiss = 2 }

local list, why = campaigns.open(list_key, seen_version, reports)
if not list then return { why } end
if ledger.full(stream_key, list) then return { 'full' } end
local policy = campaigns.policy(list)
local now = clock.now
clock.present = now

-- A late report is judged as of when it was accepted. Showings since then count against it: a cap is never exceeded.
local function clock_of(arg_at)
  if not late then return clock, now_text end
  local at = ARGV[arg_at + 6]
  return {
    now = tonumber(at), day = tonumber(ARGV[arg_at + 7]), week = tonumber(ARGV[arg_at + 8]), month = tonumber(ARGV[arg_at + 9]), present = now,
  }, at
end

local function set_aside(i, reason)
  local at = ARGS_BEFORE + i * args_each
  ledger.set_aside(events.text(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 6], '0', ARGV[at + 5]), reason)
  return 'aside'
end

local function take(i)
  local record_key, arg_at = KEYS[KEYS_BEFORE + i + 1], ARGS_BEFORE + i * args_each
  local kind, campaign_id, impression_id, session = ARGV[arg_at + 1], ARGV[arg_at + 2], ARGV[arg_at + 4], ARGV[arg_at + 5]
  local campaign = by_id.find(list, campaign_id)
  if not campaign then return late and set_aside(i, 'the campaign takes no reports') or 'unknown' end
  local user, name = ledger.record(record_key), ids.name(kind, impression_id)
  if record.knows(user, name) then return 'duplicate' end

  local shown, at = clock_of(arg_at)
  local answer, over_cap = 'recorded', '0'
  if MASK[kind] then counting.react(user, campaign, MASK[kind], now)
  else
    counting.release(user, name)
    if record.full(user, campaign, policy, shown, session) then answer, over_cap = 'capped', '1'
    else answer = counting.count(user, campaign, policy, shown.now, session, now) end
  end
  -- Remembered from now on, also a late one: it may be sent again, however late it is.
  counting.remember(user, name, now, now)
  ledger.note(i, record_key, events.text(kind, campaign_id, ARGV[arg_at + 3], impression_id, at, over_cap, session))
  return answer
end

local reply = requests.answer('taken', reports, take, late and set_aside or nil)
ledger.commit(stream_key, list)
return reply
