-- What a record says, for a comparison: apart from record.lua, so that decisions and reports do not pay for functions
-- that they do not call.

-- Show times as text, ms, separated by blanks.
local function readable(times)
  local found = {}
  for at = 1, #times, 6 do found[#found + 1] = string.format('%.0f', struct.unpack('>I6', times, at)) end
  return table.concat(found, ' ')
end

-- Raises when a part of the record cannot be read.
local function check(user, now)
  record.held(user, now)
  local list, at = user.fields['r'] or '', 1
  while at <= #list do at = at + ids.length(list, at) + 3 end
  if at ~= #list + 1 then error('r') end
end

-- What the record says of campaigns in the list and of all campaigns together: {field, value, …}, as text.
local function of(user, list)
  local found = {}
  for field, value in pairs(user.fields) do
    local id = record.campaign_of(field)
    if field == 'n' or field == 't' or field == 's' or (id and by_id.has(list, id)) then
      found[#found + 1] = field
      found[#found + 1] = string.sub(field, 1, 1) == 't' and readable(value) or value
    end
  end
  return found
end

return { check = check, of = of }
