/**
 * Milliseconds of a clock that only goes forward, for measuring durations. As `performance.now()`, whose module loads much
 * that nothing else here needs: a millisecond of the start of every run.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
