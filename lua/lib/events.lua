-- The events of a call, appended in the script that counts: no count without its event. One entry holds all
-- events of a call, because an entry costs as much as several events: in the script, in the append-only
-- file, at the worker's reading and again at its acknowledgement.
--
--   e   type campaign user id at over_cap session      for each event, separated by blanks, which are in none of them
--   x   the same, a blank, and why: a report that was accepted while Redis was away and cannot be counted

-- kind: 'impression' | 'click' | 'dismiss'; at: ms, as text; over_cap: '0' or '1'; session: '' when none was named
local function text(kind, campaign, user, id, at, over_cap, session)
  return kind .. ' ' .. campaign .. ' ' .. user .. ' ' .. id .. ' ' .. at .. ' ' .. over_cap .. ' ' .. session
end

-- Appends an entry of these fields and values.
local function append(stream, fields)
  redis.call('XADD', stream, '*', unpack(fields))
end

-- The events of an entry's fields and values; what is none is left out.
local function read(fields)
  local found = {}
  for i = 1, #fields, 2 do
    local kind, campaign, user, id, at, over_cap, session =
      string.match(fields[i] == 'e' and fields[i + 1] or '', '^(%a+) (%d+) (%S+) (%S+) (%d+) ([01]) (%S*)$')
    if kind then
      found[#found + 1] = { kind = kind, campaign = campaign, user = user, id = id, at = tonumber(at), over_cap = over_cap, session = session }
    end
  end
  return found
end

return { text = text, append = append, read = read }
