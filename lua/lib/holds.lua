-- Places in the caps that decisions hold until their showing is reported or their time runs out: the field h of
-- a record. A held place counts like a showing that may come at any moment until then.
--
-- A list of: expires u48 (ms), campaign u32, session length u8, session, name (ids.lua).

-- No customer has so many devices; more are not held, and what cannot be held is not shown.
local MOST = 32

-- The entry at `at`: until when, campaign, session, where its name begins, where the next entry begins.
local function entry(list, at)
  local expires, campaign, length, session_at = struct.unpack('>I6I4B', list, at)
  local name_at = session_at + length
  return expires, campaign, string.sub(list, session_at, name_at - 1), name_at, name_at + ids.length(list, name_at)
end

-- The places that are still held: {text: their list, n, and of campaigns and sessions how many}.
local function read(list, now)
  local live, pieces = { n = 0, of_campaign = {}, of_session = {}, of_both = {} }, {}
  local at = 1
  while at <= #list do
    local expires, campaign, session, _, after = entry(list, at)
    if expires > now then
      local both = campaign .. ' ' .. session
      live.n = live.n + 1
      pieces[live.n] = string.sub(list, at, after - 1)
      live.of_campaign[campaign] = (live.of_campaign[campaign] or 0) + 1
      live.of_session[session] = (live.of_session[session] or 0) + 1
      live.of_both[both] = (live.of_both[both] or 0) + 1
    end
    at = after
  end
  live.text = table.concat(pieces)
  return live
end

-- How many places of a campaign are held, and how many of those in the session.
local function of(live, campaign_id, session)
  return live.of_campaign[campaign_id] or 0, live.of_both[campaign_id .. ' ' .. session] or 0
end

-- The same over all campaigns.
local function of_all(live, session)
  return live.n, live.of_session[session] or 0
end

-- The list with one more place. `name` is what its report will be recognised by, ids.name.
local function with(live, expires, campaign_id, session, name)
  return live.text .. struct.pack('>I6I4B', expires, campaign_id, #session) .. session .. name
end

-- The list without the place of this report, or nil when it holds none.
local function without(list, name)
  local at = 1
  while at <= #list do
    local _, _, _, name_at, after = entry(list, at)
    if string.sub(list, name_at, after - 1) == name then return string.sub(list, 1, at - 1) .. string.sub(list, after) end
    at = after
  end
  return nil
end

return { entry = entry, read = read, of = of, of_all = of_all, with = with, without = without }
