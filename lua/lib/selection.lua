-- Which campaign a user sees, and what stands against the others: the one place that decides. `select` asks for the
-- first campaign that nothing stands against, `explain` about every one, so they cannot differ.
--
-- A user is what lua/lib/audiences.lua says, with session, '' when the request names none.

local selection = {}
local list, policy, always, clock, direct_at, unlimited, holding, record_of

-- What all questions of a call have in common.
--   asked  {list, policy; clock: {now, day, week, month, present}, ms; direct_at: see lua/lib/audiences.lua; unlimited: only campaigns
--          without any limit may be shown; holding: decisions may hold places; record: a function of user, campaign, and
--          whether it is the first that is looked at, which gives as much of the user's record as that one needs}
function selection.open(asked)
  list, policy, always = asked.list, asked.policy, campaigns.always(asked.list)
  clock, direct_at, unlimited, holding, record_of = asked.clock, asked.direct_at, asked.unlimited, asked.holding, asked.record
end

-- Whether the campaign's target means the user; and the step that decided it, nil when none was needed.
local function targeted(user, campaign)
  local step, last = campaign.entry, nil
  while step < campaigns.REJECT do
    local way = campaigns.step(list, campaign, step)
    last, step = step, audiences.has(user, way.audience, direct_at) and way.yes or way.no
  end
  return step == campaigns.ACCEPT, last
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
    local seen = record_of(user, campaign, first)
    if record.stopped(seen, campaign) then return 'stopped' end
    if record.full(seen, campaign, policy, clock, user.session) then return 'capped' end
    if holds_place(campaign) and not record.may_hold(seen, clock.now) then return 'crowded' end
  end
  return nil
end

-- The first place worth a look: of the campaigns for all, and of those that the user's audiences lead to.
local function first_place(row)
  local first, at, slots = always[1] or list.active, 0, nil
  while at < #row and campaigns.bound(list, at + 1) < first do
    at, slots = audiences.next_slots(row, at + 1)
    if not at then break end
    for i = 1, #slots do
      local place = campaigns.of_slot(list, slots[i])[1]
      if place and place < first then first = place end
    end
  end
  return first
end

-- All places worth a look, ascending; one may be there twice.
local function every_place(row)
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

selection.targeted, selection.holds_place, selection.against = targeted, holds_place, against

-- The campaign that the user sees, or nil.
function selection.choose(user)
  local tried = first_place(user.row)
  if tried >= list.active then return nil end
  local campaign = campaigns.nth(list, tried)
  -- The others are put in order for those who do not see it.
  if not against(user, campaign, true) then return campaign end
  for _, place in ipairs(every_place(user.row)) do
    if place > tried then
      campaign = campaigns.nth(list, place)
      if not against(user, campaign, false) then return campaign end
      tried = place
    end
  end
  return nil
end

return selection
