-- The event of a report, appended in the script that counts it: no count without its event.
-- One field, because each costs Redis as much in the script as in the append-only file:
--
--   e   type campaign user id at over_cap session      separated by blanks, which are in none of them

local events = {}

-- kind: 'impression' | 'click' | 'dismiss'; at: ms, as text; over_cap: '0' or '1'; session: '' when none was named
function events.append(stream, kind, campaign, user, id, at, over_cap, session)
  redis.call('XADD', stream, '*', 'e',
    kind .. ' ' .. campaign .. ' ' .. user .. ' ' .. id .. ' ' .. at .. ' ' .. over_cap .. ' ' .. session)
end

-- The event of a stream entry's fields and values, or nil when it is none.
function events.read(fields)
  local kind, campaign, user, id, at, over_cap, session =
    string.match(fields[1] == 'e' and fields[2] or '', '^(%a+) (%d+) (%S+) (%S+) (%d+) ([01]) (%S*)$')
  return kind and { kind = kind, campaign = campaign, user = user, id = id, at = tonumber(at), over_cap = over_cap, session = session }
end

return events
