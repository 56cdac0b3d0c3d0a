-- Says how many entries there are, and of the newest ARGV[1] when each came, and what it is.
local found = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'REV', 'WITHSCORES')
local newest = {}
for i = 1, #found, 2 do
    table.insert(newest, { found[i + 1], redis.call('HGET', KEYS[2], found[i]) })
end
return { redis.call('ZCARD', KEYS[1]), newest }
