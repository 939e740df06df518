-- Take what a call may need from every limit that holds for it, or nothing at all.
--
-- KEYS  one for each limit.
-- ARGV  for each limit its kind, size, start (ms), and "1" if it is hard, or for r and t if what is
--       left may be told; then the tokens and the nano-USD to reserve, our epoch, the prefix of
--       the epochs' leases, and the name of the set of money limits whose past is not known.
--
-- Kinds: r requests and t tokens a minute (the time at which the bucket is full again, in
-- microseconds), c calls at once, m money of a day or month, p money of a whole pilot.
--
-- Returns {refusing, wait, left, unknown, warned, r limit, r left, r full again, t …}. The first
-- is the number of the limit that refuses, or 0; wait and full again are in ms; left is the money
-- of a refusing limit that is not spent yet; unknown is the first hard money limit whose past is
-- not known, warned the first soft one that is used up.
local MINUTE = 60000000
local count = #KEYS
local base = 4 * count
local tokens, money = tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2])
local epoch, lease = ARGV[base + 3], ARGV[base + 4]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local now_ms = math.floor(now / 1000)
local refusing, wait, left, unknown, warned = 0, 0, 0, 0, 0
local filled = {}
local is_money = {m = true, p = true}
local tightest = {r = {0, -1, 0, -1, 0}, t = {0, -1, 0, -1, 0}}

-- What all living processes hold, and whether one of them has died: its lease has run out, and what
-- it held is dropped.
local function held(fields, key, prefix)
  local sum, has_died = 0, false
  for at = 1, #fields, 2 do
    local name = fields[at]
    if string.sub(name, 1, 2) == prefix then
      local owner = string.sub(name, 3)
      if owner == epoch or redis.call('EXISTS', lease .. owner) == 1 then
        sum = sum + tonumber(fields[at + 1])
      else
        redis.call('HDEL', key, name)
        has_died = true
      end
    end
  end
  return sum, has_died
end

for n = 1, count do
  local kind, size = ARGV[4 * n - 3], tonumber(ARGV[4 * n - 2])
  local short, until_ms, rest = false, 0, 0
  if kind == 'r' or kind == 't' then
    local cost = kind == 'r' and 1 or tokens
    local full = math.max(tonumber(redis.call('GET', KEYS[n]) or '0'), now)
    local unit = MINUTE / size
    -- What is larger than the whole bucket may go when the bucket is full, and is paid off after.
    local over = full + math.min(cost, size) * unit - now - MINUTE
    short, until_ms = over > 0.5, math.ceil(over / 1000)
    filled[n] = full + cost * unit
    rest = math.max(0, math.floor((now + MINUTE - full) / unit + 0.000001))
    local after = math.max(0, math.floor((now + MINUTE - filled[n]) / unit + 0.000001))
    if ARGV[4 * n] == '1' and (tightest[kind][2] < 0 or after < tightest[kind][2]) then
      local again = math.ceil((filled[n] - now) / 1000)
      tightest[kind] = {size, after, again, rest, math.ceil((full - now) / 1000)}
    end
  elseif kind == 'c' then
    rest = size - (held(redis.call('HGETALL', KEYS[n]), KEYS[n], 'c:'))
    short, until_ms = rest < 1, 1000
  else
    local start = tonumber(ARGV[4 * n - 1])
    local fields = redis.call('HGETALL', KEYS[n])
    local state = {}
    for at = 1, #fields, 2 do state[fields[at]] = fields[at + 1] end
    -- At midnight another process may still be in the day before by its clock.
    local is_late = kind == 'm' and state.start and start < tonumber(state.start)
    if state.start ~= ARGV[4 * n - 1] and not is_late then
      -- A new period begins at nothing, provided that we have counted since before it began.
      if state.since and start >= tonumber(state.since) then
        redis.call('HSET', KEYS[n], 'start', ARGV[4 * n - 1], 'spent', 0, 'seed', 0)
        state.seed = '0'
      else
        redis.call('HSET', KEYS[n], 'start', ARGV[4 * n - 1], 'spent', 0, 'since', now_ms)
        redis.call('HDEL', KEYS[n], 'seed')
        state.seed = nil
      end
      redis.call('EXPIRE', KEYS[n], 34560000)
      state.spent = '0'
    end
    if not state.seed then redis.call('SADD', ARGV[base + 5], KEYS[n]) end
    local spent = tonumber(state.spent) + tonumber(state.seed or '0')
    local running, has_died = held(fields, KEYS[n], 'h:')
    -- It may have died after it had recorded a call and before it told us: that is looked up, from
    -- the next call on.
    if has_died then redis.call('HDEL', KEYS[n], 'since', 'start') end
    if ARGV[4 * n] == '1' then
      if not state.seed and unknown == 0 then unknown = n end
      -- One call at a time may use what is left, or a small rest could never be used.
      short = money > 0 and (spent >= size or (running > 0 and spent + running + money > size))
      rest = size - spent
    elseif spent >= size and warned == 0 then
      warned = n
    end
  end
  -- The limit that holds longest is the one to tell: money has no end in sight.
  if short and (refusing == 0 or is_money[kind] or until_ms > wait) then
    refusing, wait, left = n, until_ms, rest
    if is_money[kind] then break end
  end
end

local r, t = tightest.r, tightest.t
if refusing > 0 then
  return {refusing, wait, left, unknown, warned, r[1], r[4], r[5], t[1], t[4], t[5]}
end
for n = 1, count do
  local kind = ARGV[4 * n - 3]
  if kind == 'c' then
    if redis.call('HINCRBY', KEYS[n], 'c:' .. epoch, 1) == 1 then
      redis.call('EXPIRE', KEYS[n], 86400)
    end
  elseif is_money[kind] then
    if money > 0 then redis.call('HINCRBY', KEYS[n], 'h:' .. epoch, ARGV[base + 2]) end
  else
    local life = math.ceil((filled[n] - now) / 1000)
    redis.call('SET', KEYS[n], string.format('%.0f', filled[n]), 'PX', math.max(life, 1))
  end
end
return {0, 0, 0, unknown, warned, r[1], r[2], r[3], t[1], t[2], t[3]}
