/**
 * What to type where a lock could not be had: the same again when it is free, or what ends those that hold it.
 * @param who is to be done first, in words: `the other session`.
 * @param again the command that is to be run again.
 */
export function whenFree(who: string, again: string): string {
  return (
    `wait until ${who} is done, then: ${again}\n` +
    `or let the run end who is idle or slow in its way: ${again} --terminate-blockers-after 30s\n` +
    "who that is, and what ends it, while a run waits: godwit lock blockers"
  );
}
