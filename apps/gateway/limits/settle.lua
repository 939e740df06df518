-- Give back what a call had reserved and count what it really used.
--
-- KEYS  one for each limit whose count changes.
-- ARGV  for each limit its kind, size, and two amounts: what was reserved and what was used; then
--       when the call ended (ms) and the epoch that holds the reservation.
local count = #KEYS
local base = 4 * count
local ended, epoch = tonumber(ARGV[base + 1]), ARGV[base + 2]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function give_back(key, field, amount)
  local rest = redis.call('HINCRBY', key, field, string.format('%.0f', -amount))
  if rest <= 0 then redis.call('HDEL', key, field) end
end

for n = 1, count do
  local kind, size = ARGV[4 * n - 3], tonumber(ARGV[4 * n - 2])
  local reserved, used = tonumber(ARGV[4 * n - 1]), tonumber(ARGV[4 * n])
  if kind == 'c' then
    give_back(KEYS[n], 'c:' .. epoch, reserved)
  elseif kind == 'm' or kind == 'p' then
    if reserved > 0 then give_back(KEYS[n], 'h:' .. epoch, reserved) end
    local state = redis.call('HMGET', KEYS[n], 'since', 'start')
    -- What ended before we began to count is in the sum of the past; what ended before the period
    -- began belongs to the one before.
    if used > 0 and state[1] and ended >= tonumber(state[1]) and ended >= tonumber(state[2]) then
      redis.call('HINCRBY', KEYS[n], 'spent', ARGV[4 * n])
    end
  else
    local full = math.max(tonumber(redis.call('GET', KEYS[n]) or '0'), now)
    full = full + (used - reserved) * 60000000 / size
    if full > now then
      redis.call('SET', KEYS[n], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
    else
      redis.call('DEL', KEYS[n])
    end
  end
end
return 1
