-- What a call changes: records and events are kept here until all of its requests are worked through, and
-- then written, the events first. A request that fails leaves nothing; should the events not be taken,
-- nothing is counted.

local records, changed, fields, writers, at_work = {}, {}, {}, {}, 0

-- The record of this key, with what earlier requests of the call have changed in it.
local function record_at(key)
  local user = records[key]
  if not user then
    user = record.load(key)
    records[key] = user
  end
  return user
end

-- Notes that a request changed the record, and its event, if it has one.
local function note(key, text)
  local user = records[key]
  if not user.changed then
    user.changed = true
    changed[#changed + 1] = key
  end
  writers[#writers + 1] = at_work
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

local function commit(stream, list)
  if #fields > 0 then events.append(stream, fields) end
  for _, key in ipairs(changed) do counting.save(records[key], key, list) end
end

local function failure(why)
  return 'failed: ' .. (type(why) == 'table' and why.err or tostring(why))
end

-- Works the requests 0 to n - 1 through, then writes what they changed. Returns the reply: the tag and an answer for each.
-- `failed`, if given, is told of a request that failed, and why; its answer is the request's.
-- `spare`: when the writing fails, those that wrote nothing have their answers all the same.
local function run(tag, n, work, stream, list, failed, spare)
  local reply = { tag }
  for i = 0, n - 1 do
    at_work = i
    -- A record that cannot be read is no reason to leave the others without an answer; a report is sent again with its id.
    local fine, answer = pcall(work, i)
    if not fine then
      answer = failure(answer)
      if failed then answer = failed(i, answer) end
    end
    reply[i + 2] = answer
  end
  -- Where only decisions that count are lost when Redis refuses to write, it does so at the first of the writes.
  local written, why = pcall(commit, stream, list)
  if not written then
    if not spare then error(why) end
    for _, i in ipairs(writers) do reply[i + 2] = failure(why) end
  end
  return reply
end

return { record = record_at, note = note, set_aside = set_aside, full = full, run = run }
