-- Campaigns by their ids, for reports: a decision goes by their order.

local found_by, index, index_from, first_id = {}, nil, nil, nil

-- The place of a campaign, or nil: a binary search. Ids are given one after the other, so the first look is where it stands if none of those
-- before it is missing.
local function search(list, id)
  local low, high = 0, list.listed - 1
  if high < 0 then return nil end
  if not index then
    index, index_from = campaigns.slice(list, list.index_at, list.listed * 8)
    first_id = struct.unpack('>I4', index, index_from)
  end
  local middle = id - first_id
  if middle < low or middle > high then middle = math.floor(high / 2) end
  while low <= high do
    local found, place = struct.unpack('>I4I4', index, index_from + middle * 8)
    if found == id then return place end
    if found < id then low = middle + 1 else high = middle - 1 end
    middle = math.floor((low + high) / 2)
  end
  return nil
end

-- A campaign by its id, a number or its text, active or not, or false.
local function find(list, id)
  local campaign = found_by[id]
  if campaign == nil then
    local place = search(list, tonumber(id))
    campaign = place and campaigns.nth(list, place) or false
    if campaign and type(id) == 'string' then campaign.text = id end
    found_by[id] = campaign
  end
  return campaign
end

-- Whether a campaign of this id is in the list: less work than to find it.
local function has(list, id)
  return found_by[id] or search(list, tonumber(id)) ~= nil
end

return { find = find, has = has }
