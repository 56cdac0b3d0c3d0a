-- Keeps ARGV[2] under ARGV[1], unless that is taken; says when what is there came, and what it is.
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'NX', now[1] * 1000000 + now[2], ARGV[1])
redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
return { redis.call('ZSCORE', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[2], ARGV[1]) }
