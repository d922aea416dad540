-- Lets a user's record live longer, when a campaign in it was given a later end.
--
-- KEYS  the user's record
-- ARGV  how long it must live from now on, ms
-- Returns {'extended'} | {'enough'} (it lives as long already, or there is none)
--
-- Why a script: a report may lengthen the record between a PTTL and a PEXPIRE, and an expiry is
-- never shortened.
-- @use

local record_key, ttl = KEYS[1], tonumber(ARGV[1])

local left = redis.call('PTTL', record_key)
if left < 0 or left >= ttl then return { 'enough' } end
redis.call('PEXPIRE', record_key, string.format('%.0f', ttl))
return { 'extended' }
