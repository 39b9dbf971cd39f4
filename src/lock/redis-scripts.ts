/**
 * Each takes one key; the first argument is the value that makes it ours. Redis runs a script as one step, and each may
 * be asked again when its answer was lost.
 */

/**
 * Takes the key or keeps it. Arguments: value, milliseconds. Answers 1 if it is ours for so long from now on, 0 if it
 * is somebody else's. SET NX alone would take the key of an attempt whose answer was lost for somebody else's.
 */
export const HOLD = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 1
end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
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
