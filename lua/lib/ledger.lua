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

-- Writes it all.
function ledger.commit(stream, list)
  if #texts == 0 then return end
  events.append(stream, texts)
  for key in pairs(changed) do record.save(records[key], key, list) end
end

return ledger
