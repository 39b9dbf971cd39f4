/** The first time that an attempt queues for a lock, in milliseconds. */
const FIRST_BUDGET_MS = 50;
/** The longest: whoever comes after us in the queue waits for as long. */
const LONGEST_BUDGET_MS = 400;
/** So many times as long as an attempt queued, nobody queues behind us: they are held up for about a tenth of the time at most. */
const REST_PER_QUEUED = 10;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/**
 * How long an attempt may queue for a lock, in milliseconds: 50, 100, 200, then 400, but never longer than configured.
 * @param attempt from 1.
 * @param configuredMs lock_timeout as configured; 0 means without limit, and stays so.
 */
export function queueBudgetMs(attempt: number, configuredMs: number): number {
  if (configuredMs === 0) return 0;
  return Math.min(FIRST_BUDGET_MS * 2 ** Math.min(attempt - 1, 16), LONGEST_BUDGET_MS, configuredMs);
}

/**
 * How long to stay out of the queue, in milliseconds: with decorrelated jitter, between the first pause and three times the
 * one before, at most 5 s, and in any case ten times as long as the attempt before stood in the queue.
 * @param queuedMs how long it stood there; 0: it did not.
 * @param random in [0, 1).
 */
export function pauseMs(before: number | null, queuedMs: number, random: number): number {
  const most = Math.max(FIRST_PAUSE_MS, (before ?? FIRST_PAUSE_MS) * 3);
  const jittered = Math.min(FIRST_PAUSE_MS + (most - FIRST_PAUSE_MS) * random, LONGEST_PAUSE_MS);
  return Math.round(Math.max(jittered, queuedMs * REST_PER_QUEUED));
}
