-- The switch of a publish: everything that was prepared becomes what decisions see, in one step.
--
-- KEYS  the packed list, its manifest, the version, the active campaigns, what is published, the builds of the
--       audience index; then, as the plan counts them: a prepared and a final key for each audience to move,
--       keys to remove, a meta key for each campaign to write
-- ARGV  the version this publish was made on top of ('' for none); the new version; the packed list; the manifest;
--       the build of the index that the list uses, or ''; the plan, JSON: {moves, removes,
--       active: [priority, id, …], published: [field, value, …], metas: [{ttl: ms, fields: [field, value, …]}, …]}
-- Returns {'published'} | {'conflict'} (someone else published since: start over) | {'lost'} (a
--       prepared audience or the build has expired: start over); these two change nothing
-- @use

local list_key, manifest_key, version_key, active_key, published_key, generations_key =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local base, version, packed, manifest, generation, plan = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], cjson.decode(ARGV[6])
local KEYS_BEFORE_MOVES = 6

if (redis.call('GET', version_key) or '') ~= base then return { 'conflict' } end
-- A script that fails half-way is not undone, so what can be missing is looked for first.
if generation ~= '' and redis.call('HEXISTS', generations_key, generation) == 0 then return { 'lost' } end
for i = 0, plan.moves - 1 do
  if redis.call('EXISTS', KEYS[KEYS_BEFORE_MOVES + i * 2 + 1]) == 0 then return { 'lost' } end
end

local at = KEYS_BEFORE_MOVES
for _ = 1, plan.moves do
  local prepared, final = KEYS[at + 1], KEYS[at + 2]
  -- A large list is freed in the background instead of by RENAME, which would hold up decisions.
  redis.call('UNLINK', final)
  redis.call('RENAME', prepared, final)
  redis.call('PERSIST', final)
  at = at + 2
end
for _ = 1, plan.removes do
  redis.call('UNLINK', KEYS[at + 1])
  at = at + 1
end
for _, meta in ipairs(plan.metas) do
  redis.call('DEL', KEYS[at + 1])
  redis.call('HSET', KEYS[at + 1], unpack(meta.fields))
  redis.call('PEXPIRE', KEYS[at + 1], string.format('%.0f', meta.ttl))
  at = at + 1
end

redis.call('DEL', active_key, published_key)
for i = 1, #plan.active, 2 do redis.call('ZADD', active_key, plan.active[i], plan.active[i + 1]) end
for i = 1, #plan.published, 2 do redis.call('HSET', published_key, plan.published[i], plan.published[i + 1]) end
redis.call('SET', list_key, packed)
redis.call('SET', manifest_key, manifest)
redis.call('SET', version_key, version)
return { 'published' }
