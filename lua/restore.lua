-- Rebuilds a user's record from events: those the caller read from the store and the stream, and
-- those that came into the stream since. Or only says what the record should hold and what it holds.
--
-- KEYS  the packed list, the user's record, the event stream
-- ARGV  the version of the list the caller knows; user id; the id of the last stream entry the caller read;
--       now, ms; 'restore' | 'compare'; the events, oldest first, JSON: [type, campaign id, impression id,
--       time ms, over_cap, session or '', …]
-- Returns {'restored', impressions counted} | {'compared', what should be there, what is there: {field, value, …} of
--       campaigns in the list} | {'damaged'}, a record that cannot be read | {'stale'} | {'unpublished'}
--
-- Why the stream is read again here: a report that came after the caller's reading is in the stream
-- and in the record that is about to be replaced; it must be in the new one too.
-- @use campaigns by_id caps ids holds record counting listing events

local list_key, record_key, stream_key = KEYS[1], KEYS[2], KEYS[3]
local seen_version, user_id, last_read, now, mode = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local given = cjson.decode(ARGV[6])
local DAY_MS, HOUR_MS = 86400000, 3600000
local MASK = { click = 1, dismiss = 2 }

local list, why = campaigns.open(list_key, seen_version, #given / 6)
if not list then return { why } end
local policy = campaigns.policy(list)
local user, expires = record.empty(), 0
local counted, taken = 0, {}

-- An event, as the report took it then; a record that nobody wrote to for long enough had expired.
local function apply(kind, campaign_id, impression_id, at, over_cap, session)
  local name = kind .. impression_id
  if taken[name] then return end
  taken[name] = true
  if at > expires then user, expires = record.empty(), 0 end
  user.ttl = DAY_MS
  -- A campaign that left the list has no fields any more, but its showings still count for the policy.
  local campaign = by_id.find(list, campaign_id)
  if MASK[kind] then
    if campaign then counting.react(user, campaign, MASK[kind], at) end
  elseif over_cap == '0' then
    if campaign then counting.count(user, campaign, policy, at, session, at)
    else counting.count_for_policy(user, policy, at, session, at) end
    counted = counted + 1
  end
  -- One that was accepted long ago may have been made just now, and may be made again: it is remembered for an hour at least.
  if at >= now - 8 * DAY_MS then counting.remember(user, ids.name(kind, impression_id), math.max(at, now - DAY_MS + HOUR_MS), now) end
  expires = math.max(expires, at + user.ttl)
end

for i = 1, #given, 6 do apply(given[i], given[i + 1], given[i + 2], given[i + 3], given[i + 4], given[i + 5]) end
for _, entry in ipairs(redis.call('XRANGE', stream_key, '(' .. last_read, '+')) do
  for _, event in ipairs(events.read(entry[2])) do
    if event.user == user_id and ids.KIND[event.kind] then
      apply(event.kind, event.campaign, event.id, event.at, event.over_cap, event.session)
    end
  end
end
if expires <= now then user = record.empty() end

if mode == 'compare' then
  -- Somebody else may have written to it, or put something of another type in its place.
  local read, there = pcall(function()
    local found = record.load(record_key)
    listing.check(found, now)
    return listing.of(found, list)
  end)
  if not read then return { 'damaged' } end
  return { 'compared', listing.of(user, list), there }
end
user.ttl = math.max(expires - now, 0)
-- Places that are held now are in no event.
local held = redis.pcall('HGET', record_key, 'h')
-- What cannot be read is no reason to leave the user without a record.
if type(held) == 'string' then pcall(counting.keep_holds, user, held, now) end
redis.call('UNLINK', record_key)
if user.sets[1] then counting.save(user, record_key, list) end
return { 'restored', counted }
