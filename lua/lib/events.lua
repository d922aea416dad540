-- The event of a report, appended in the script that counts it: no count without its event.

local events = { KIND = { impression = 'I', click = 'C', dismiss = 'D' } }

-- at: ms, as text; over_cap: '0' or '1'; session: '' when none was named
function events.append(stream, kind, campaign, user, id, at, over_cap, session)
  redis.call('XADD', stream, '*', 'type', kind, 'campaign', campaign, 'user', user, 'id', id,
    'at', at, 'over_cap', over_cap, 'session', session)
end

return events
