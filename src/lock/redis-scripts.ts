/** Each takes one key; the first argument is the value that makes it ours. Redis runs a script as one step. */

/**
 * Arguments: value, milliseconds. Answers 1 if the key is ours for so long from now on, 0 if it is somebody else's.
 * A key that vanished is set again.
 */
export const RENEW = `
local value = redis.call('GET', KEYS[1])
if value and value ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** Argument: value. Deletes the key if it is ours; answers how many were deleted. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0`;
