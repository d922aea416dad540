-- The requests of a call: one that fails is no reason to leave the others without an answer; the client sends it again.

local function failure(why)
  return 'failed: ' .. (type(why) == 'table' and why.err or tostring(why))
end

-- Works the requests 0 to n - 1 through. Returns the reply: the tag, and an answer for each.
-- `failed`, if given, is told of a request that failed, and why; its answer is the request's.
local function answer(tag, n, work, failed)
  local reply = { tag }
  for i = 0, n - 1 do
    local fine, answer = pcall(work, i)
    if not fine then
      answer = failure(answer)
      if failed then answer = failed(i, answer) end
    end
    reply[i + 2] = answer
  end
  return reply
end

return { failure = failure, answer = answer }
