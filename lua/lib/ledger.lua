-- What a call changes: records and events are kept here until all of its requests are worked through, and
-- then written, the events first. A request that fails leaves nothing; should the events not be taken,
-- nothing is counted.

local records, changed, fields, writers = {}, {}, {}, {}

-- The record of this key, with what earlier requests of the call have changed in it.
local function record_at(key)
  local user = records[key]
  if not user then
    user = record.load(key)
    records[key] = user
  end
  return user
end

-- Notes that the request `i` changed the record, and its event, if it has one.
local function note(i, key, text)
  local user = records[key]
  if not user.changed then
    user.changed = true
    changed[#changed + 1] = key
  end
  writers[#writers + 1] = i
  if text then
    local n = #fields
    fields[n + 1], fields[n + 2] = 'e', text
  end
end

-- Notes a report that was accepted and cannot be counted, for people to look at.
local function set_aside(text, why)
  fields[#fields + 1] = 'x'
  fields[#fields + 1] = text .. ' ' .. why
end

-- True when the stream takes no more: nobody carries its events away.
local function full(stream, list)
  return redis.call('XLEN', stream) >= list.stream_max
end

-- Writes what was noted. Raises when Redis refuses, and nothing is counted then.
local function commit(stream, list)
  if #fields > 0 then events.append(stream, fields) end
  for _, key in ipairs(changed) do counting.save(records[key], key, list) end
end

-- The same; when Redis refuses, those that wrote nothing keep their answers in the reply, and the others are told. Only decisions that
-- count are lost so: Redis refuses at the first of the writes.
local function commit_or_tell(stream, list, reply)
  local written, why = pcall(commit, stream, list)
  if written then return end
  for _, i in ipairs(writers) do reply[i + 2] = requests.failure(why) end
end

return { record = record_at, note = note, set_aside = set_aside, full = full, commit = commit, commit_or_tell = commit_or_tell }
