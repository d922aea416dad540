-- Which campaign a user sees, and what stands against the others: the one place that decides. `select` asks for the
-- first campaign that nothing stands against, `explain` about every one, so they cannot differ.
--
-- A user is what audiences.lua and direct.lua say, with session, '' when the request names none; tests, true for one who
-- may see a draft; and record, the user's record once all of it was read, false before.

-- What was read for an earlier user of the call is looked up here: a function called for each user and campaign costs more.
local nth, in_audience = campaigns.nth, audiences.has
local list, policy, first_always, clock, direct_at, unlimited, holding, record_of

-- What all questions of a call have in common: the list and its policy;
--   at              {now, day, week, month, present}, ms
--   direct          see direct_at in direct.lua
--   only_unlimited  only campaigns without any limit may be shown
--   may_hold        decisions may hold places
--   read_record     a function of user, campaign, and whether it is the first that is looked at, for a user without
--                   record: gives as much of it as that campaign needs
local function open(the_list, the_policy, at, direct, only_unlimited, may_hold, read_record)
  list, policy, first_always, clock = the_list, the_policy, campaigns.first_always(the_list), at
  direct_at, unlimited, holding, record_of = direct, only_unlimited, may_hold, read_record
end

-- Whether the campaign's target means the user; and the step that decided it, nil when none was needed.
local function targeted(user, campaign)
  local step, last = campaign.entry, nil
  while step < campaigns.REJECT do
    local way = campaigns.step(list, campaign, step)
    last, step = step, in_audience(user, way.audience, direct_at) and way.yes or way.no
  end
  -- The target of a draft is packed as nobody.
  return step == campaigns.ACCEPT or user.tests and campaigns.tests(campaign, user.id), last
end

-- Whether a decision for the campaign holds a place in the caps.
local function holds_place(campaign)
  return holding and campaign.reserve_ms > 0 and not unlimited and (campaign.caps > 0 or policy.caps > 0)
end

-- What stands against showing the campaign to the user now, nil for nothing: 'not_started' | 'ended' | 'not_in_target' |
-- 'recovering' | 'stopped' | 'capped' | 'crowded' (the user has as many places held as can be). The record is read when
-- it first matters.
local function against(user, campaign, first)
  if clock.now < campaign.starts then return 'not_started' end
  if clock.now >= campaign.ends then return 'ended' end
  if not targeted(user, campaign) then return 'not_in_target' end
  if unlimited and bit.band(campaign.flags, campaigns.SERVE) ~= 0 then return 'recovering' end
  if campaign.caps > 0 or campaign.stops > 0 or (policy.caps > 0 and not campaign.exempt) then
    if unlimited then return 'recovering' end
    local seen = user.record or record_of(user, campaign, first)
    -- Every cap allows one impression at least.
    if seen.blank then return nil end
    if record.stopped(seen, campaign) then return 'stopped' end
    if record.full(seen, campaign, policy, clock, user.session) then return 'capped' end
    if holds_place(campaign) and not record.may_hold(seen, clock.now) then return 'crowded' end
  end
  return nil
end

-- The first place that the slots of a row's byte, which is not 0, lead to. The same few bytes come again and again.
local function first_of(row, at, byte)
  local known = list.first_of[at]
  if not known then
    known = {}
    list.first_of[at] = known
  end
  local first = known[byte]
  if not first then
    first = list.active
    local _, slots = audiences.next_slots(row, at)
    for i = 1, #slots do
      local place = campaigns.of_slot(list, slots[i])[1]
      if place and place < first then first = place end
    end
    known[byte] = first
  end
  return first
end

-- The first place worth a look: of the campaigns for all, and of those that the user's audiences lead to.
local function first_place(row)
  local first, bounds, at = first_always, list.bounds, 1
  while at <= #row and (bounds[at] or campaigns.bound(list, at)) < first do
    local byte = string.byte(row, at)
    if byte > 0 then
      local place = first_of(row, at, byte)
      if place < first then first = place end
      at = at + 1
    else
      -- The search runs in C; a loop over many bytes would not.
      at = string.find(row, '[^%z]', at + 1) or #row + 1
    end
  end
  return first
end

-- All places worth a look, ascending; one may be there twice.
local function every_place(row)
  local always = campaigns.always(list)
  local at, slots = audiences.next_slots(row, 1)
  if not at then return always end
  local places = {}
  for i = 1, #always do places[i] = always[i] end
  while at do
    for i = 1, #slots do
      for _, place in ipairs(campaigns.of_slot(list, slots[i])) do places[#places + 1] = place end
    end
    at, slots = audiences.next_slots(row, at + 1)
  end
  table.sort(places)
  return places
end

-- Nothing leads to drafts: who may see one has every campaign looked at.
local function choose_among_all(user)
  for place = 0, list.active - 1 do
    local campaign = nth(list, place)
    if not against(user, campaign, false) then return campaign end
  end
  return nil
end

-- The campaign that the user sees, or nil.
local function choose(user)
  if user.tests then return choose_among_all(user) end
  local tried = first_place(user.row)
  if tried >= list.active then return nil end
  local campaign = list.by_place[tried] or nth(list, tried)
  -- The others are put in order for those who do not see it.
  if not against(user, campaign, true) then return campaign end
  for _, place in ipairs(every_place(user.row)) do
    if place > tried then
      campaign = list.by_place[place] or nth(list, place)
      if not against(user, campaign, false) then return campaign end
      tried = place
    end
  end
  return nil
end

return { open = open, targeted = targeted, holds_place = holds_place, against = against, choose = choose }
