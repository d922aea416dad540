-- Explains a decision: which campaign a user would see, and of every active campaign what stands against it, and
-- until when. It writes nothing.
--
-- KEYS  the packed list, the user's record, the key in which the user's row of the index lies; then for every audience
--       outside the index: the keys of its parts, and of the parts of its string ids
-- ARGV  the version of the list the caller knows; now, and the starts of day, week and month, ms; the user's id; its kind, a
--       letter as of select; the session or ''; u when only campaigns without any limit may be shown, or '', and the number of
--       partitions if they are several; from and to where the row lies; then for every later time at which a day, a week or a month begins, ascending: that time, and the starts
--       of the day, week and month that it is in
-- Returns {'explained', the campaign that is decided for or false, for each active campaign, and each draft that
--       the user may see, in the order of selection:
--       {its id, what stands against it as lua/lib/selection.lua says or false, the first later time at which nothing does if
--       nothing else changes or false, and more of what stands against it:
--         not_in_target: the step of the target that decided or false, and how many steps there are;
--         stopped: the reactions that did, 1 click + 2 dismiss;
--         capped: for each cap without room: {'campaign' | 'policy', kind, limit, duration in ms, impressions in its window,
--         places held}}} | {'stale'} | {'unpublished'}
-- @use campaigns caps direct audiences ids holds record closed selection

local list_key, record_key, row_key = KEYS[1], KEYS[2], KEYS[3]
local seen_version = ARGV[1]
local clock = { now = tonumber(ARGV[2]), day = tonumber(ARGV[3]), week = tonumber(ARGV[4]), month = tonumber(ARGV[5]) }
local user_id, kind, session, letters, from, to = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local unlimited, partitions = string.sub(letters, 1, 1) == 'u', tonumber(string.match(letters, '%d+$')) or 1
local KEYS_BEFORE, ARGS_BEFORE, ARGS_EACH = 3, 11, 4

local list, why = campaigns.open(list_key, seen_version, math.huge)
if not list then return { why } end
clock.present = clock.now
local policy = campaigns.policy(list)
local seen = record.load(record_key)
local user = { id = user_id, integer = string.lower(kind) == 'i', tests = kind ~= string.lower(kind), session = session, record = seen,
  partitions = partitions }
audiences.read_row(user, row_key, from, to)

local function ask_as_of(given)
  selection.open(list, policy, given, KEYS_BEFORE + 1, unlimited, true)
end

-- The clock of a later time: the calendar windows that have begun by then.
local function clock_at(at)
  local later = { now = at, present = at, day = clock.day, week = clock.week, month = clock.month }
  for i = ARGS_BEFORE + 1, #ARGV, ARGS_EACH do
    if tonumber(ARGV[i]) > at then break end
    later.day, later.week, later.month = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  end
  return later
end

-- The places that were held at one time are read anew for another.
local function against_at(at, campaign)
  seen.held = nil
  ask_as_of(clock_at(at))
  local reason = selection.against(user, campaign)
  seen.held = nil
  ask_as_of(clock)
  return reason
end

-- The times, ascending, at which something that stands against the campaign may be over.
local function moments(campaign)
  local found, ends = { campaign.starts }, closed.hold_ends(seen.fields['h'] or '')
  for i = ARGS_BEFORE + 1, #ARGV, ARGS_EACH do found[#found + 1] = tonumber(ARGV[i]) end
  for _, at in ipairs(ends) do found[#found + 1] = at end
  local function add(owner, _, times)
    for i = 1, owner.caps do closed.add_openings(found, owner, i, times, #ends) end
  end
  add(campaign, record.own_use(seen, campaign, session))
  if not campaign.exempt then add(policy, record.whole_use(seen, session)) end
  table.sort(found)
  return found
end

-- Time alone ends these.
local PASSING = { not_started = true, capped = true, crowded = true }

local function next_time(campaign, reason)
  if not PASSING[reason] then return false end
  local last = clock.now
  for _, at in ipairs(moments(campaign)) do
    if at > last then
      reason = against_at(at, campaign)
      if not reason then return at end
      if not PASSING[reason] then return false end
      last = at
    end
  end
  return false
end

local function add_full(found, of, owner, ...)
  local full = caps.full(owner, clock, 1, ...)
  while full do
    local kind, limit, duration = caps.nth(owner, full)
    found[#found + 1] = { of, kind, limit, duration, closed.taken(owner, clock, full, ...) }
    full = caps.full(owner, clock, full + 1, ...)
  end
end

local MORE = {
  not_in_target = function(found, campaign)
    local _, step = selection.targeted(user, campaign)
    found[4], found[5] = step or false, closed.steps(campaign)
  end,
  stopped = function(found, campaign)
    found[4] = record.stopped(seen, campaign)
  end,
  capped = function(found, campaign)
    local live = record.held(seen, clock.now)
    add_full(found, 'campaign', campaign, record.own_use(seen, campaign, session, live))
    if not campaign.exempt then add_full(found, 'policy', policy, record.whole_use(seen, session, live)) end
  end,
}

ask_as_of(clock)
local chosen = selection.choose(user)
local reply = { 'explained', chosen and chosen.id or false }
for place = 0, list.active - 1 do
  local campaign = campaigns.nth(list, place)
  -- A draft is there for its test users only.
  if bit.band(campaign.flags, campaigns.TEST) == 0 or campaigns.tests(campaign, user.id) then
    local reason = selection.against(user, campaign)
    local found = { campaign.id, reason or false, reason and next_time(campaign, reason) or false }
    if MORE[reason] then MORE[reason](found, campaign) end
    reply[#reply + 1] = found
  end
end
return reply
