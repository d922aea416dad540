-- What a call changes: records and events are kept here until all of its requests are worked through, and
-- then written, the events first. A request that fails leaves nothing; should the events not be taken,
-- nothing is counted.

local ledger = {}
local records, changed, texts = {}, {}, {}

-- The record of this key, with what earlier requests of the call have changed in it.
function ledger.record(key)
  local user = records[key]
  if not user then
    user = record.load(key)
    records[key] = user
  end
  return user
end

-- Notes that a request changed the record, and its event.
function ledger.note(key, text)
  changed[key] = true
  texts[#texts + 1] = text
end

local function commit(stream, list)
  if #texts == 0 then return end
  events.append(stream, texts)
  for key in pairs(changed) do record.save(records[key], key, list) end
end

-- Works the requests 0 to n - 1 through, then writes what they changed. Returns the reply: the tag and an answer for each.
function ledger.run(tag, n, work, stream, list)
  local reply = { tag }
  for i = 0, n - 1 do
    -- A record that cannot be read is no reason to leave the others without an answer; a report is sent again with its id.
    local fine, answer = pcall(work, i)
    if not fine then answer = 'failed: ' .. (type(answer) == 'table' and answer.err or tostring(answer)) end
    reply[i + 2] = answer
  end
  commit(stream, list)
  return reply
end

return ledger
