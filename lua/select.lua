-- Decides which campaign each of some users sees now: the first of the list whose window contains now,
-- whose target contains the user, whose caps have room, and that the user has not stopped.
--
-- KEYS  the packed list, the event stream; then for every user: the user's record, and the key in which the
--       row of the index lies; then of every audience outside the index: the keys of its parts, and of the parts of
--       its string ids
-- ARGV  the version of the list the caller knows; now, and the starts of day, week and month, ms; how many
--       users; the kinds of their ids, a letter each: i integer, s string, a capital one for a user who may see a
--       draft; letters: i when it may take more than rows and records, u when only campaigns without any limit may be
--       shown, because counters are being restored, and where there are audiences outside the index the number of
--       partitions, if they are several; then for every user: from and to where the row lies
--       (see lua/lib/audiences.lua); with i also the id, the session or '', and the id of this showing
-- Returns {'decided', for each user: a campaign id, or false for none, or a text: why there is no decision}
--       | {'stale'} (another list was published: read it and ask again) | {'unpublished'} (there is no list)
--
-- Why one script: selection and, with count_on serve or a place held, what is counted are one step, so two
-- logins at the same instant cannot both take the last place.
-- Why many users: a call costs more than a decision, and reading the list as much as some.
-- @use campaigns (by_id) (caps) (direct) audiences (ids) (holds) (record) (counting) (events) requests (ledger) selection

local list_key, stream_key = KEYS[1], KEYS[2]
local seen_version, now_text = ARGV[1], ARGV[2]
local clock = { now = tonumber(now_text), day = tonumber(ARGV[3]), week = tonumber(ARGV[4]), month = tonumber(ARGV[5]) }
local users, kinds, letters = tonumber(ARGV[6]), ARGV[7], ARGV[8]
local with_ids, unlimited = string.find(letters, 'i', 1, true) ~= nil, string.find(letters, 'u', 1, true) ~= nil
local partitions = letters ~= '' and tonumber(string.match(letters, '%d+$')) or 1
local KEYS_BEFORE, KEYS_EACH, ARGS_BEFORE = 2, 2, 8
local args_each = with_ids and 5 or 2
local INTEGER, TEST_INTEGER, TEST_STRING = 105, 73, 83
local kind_of = { string.byte(kinds, 1, users) }

local list, why = campaigns.open(list_key, seen_version, users)
if not list then return { why } end
clock.present = clock.now
local policy = campaigns.policy(list)

local BLANK = { blank = true }

-- Of the first campaign only what that one needs, because nearly everyone sees it. Where decisions count, one of this
-- call may have counted for this user already.
local function record_of(user, campaign, first)
  if first and not with_ids then
    -- Most customers have none, and asking for its fields costs more than asking whether it is there.
    if redis.call('EXISTS', user.record_key) == 0 then return BLANK end
    return record.glance(user.record_key, campaign, policy)
  end
  user.record = ledger.record(user.record_key)
  return user.record
end

selection.open(list, policy, clock, KEYS_BEFORE + users * KEYS_EACH + 1, unlimited, with_ids, record_of)

-- Holds a place for the showing, so that nobody else is shown the last one until this is reported.
local function hold(i, user, campaign, impression_id)
  counting.hold(ledger.record(user.record_key), campaign, user.session, ids.name('impression', impression_id), clock.now)
  ledger.note(i, user.record_key)
end

local function serve(i, user, campaign, impression_id)
  if ledger.full(stream_key, list) then error('the event stream is full') end
  local session, seen = user.session, ledger.record(user.record_key)
  counting.count(seen, campaign, policy, clock.now, session, clock.now)
  counting.remember(seen, ids.name('impression', impression_id), clock.now, clock.now)
  ledger.note(i, user.record_key, events.text('impression', campaign.id, user.id, impression_id, now_text, '0', session))
end

-- The user who is decided for: one table for all of them in turn, because a new one costs more than what is in it.
local user = {
  record_key = '', row = '', id = false, session = '', integer = false, tests = false, partitions = partitions,
  record = false, answers = false, member = false, first = false, step = false,
}

local function take_up(i)
  local key_at, arg_at, kind = KEYS_BEFORE + i * KEYS_EACH, ARGS_BEFORE + i * args_each, kind_of[i + 1]
  user.record_key, user.record, user.tests = KEYS[key_at + 1], false, kind <= TEST_STRING
  if with_ids then
    user.id, user.session, user.integer = ARGV[arg_at + 3], ARGV[arg_at + 4], kind == INTEGER or kind == TEST_INTEGER
    user.answers, user.member, user.first = false, false, false
  end
  audiences.read_row(user, KEYS[key_at + 2], ARGV[arg_at + 1], ARGV[arg_at + 2])
end

local function decide(i)
  take_up(i)
  local campaign = selection.choose(user)
  if not campaign then return false end
  if not with_ids then return campaign.id end
  local impression_id = ARGV[ARGS_BEFORE + i * args_each + 5]
  if bit.band(campaign.flags, campaigns.SERVE) ~= 0 then serve(i, user, campaign, impression_id)
  -- An exempt campaign is shown all the same when too many places are held already.
  elseif selection.holds_place(campaign) and record.may_hold(ledger.record(user.record_key), clock.now) then hold(i, user, campaign, impression_id) end
  return campaign.id
end

local reply = requests.answer('decided', users, decide)
if with_ids then ledger.commit_or_tell(stream_key, list, reply) end
return reply
