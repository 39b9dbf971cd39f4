import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { formatDuration } from "../core/duration.ts";
import { sleep } from "../core/interrupt.ts";
import type { Session } from "../postgres/session.ts";
import { describeHolder, findHolder, sayHolder, type LockHolder } from "./holder.ts";
import { advisoryKey, type LockScope } from "./key.ts";

export interface AcquireOptions {
  /** How long to wait, in milliseconds; 0: one attempt. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called about once a second while waiting. */
  readonly onWaiting: (holder: string | null, elapsedMs: number) => void;
  /** Asked about once a second while waiting: when the holder has done all the work, waiting ends without the lock. */
  readonly stillNeeded: () => Promise<boolean>;
}

const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 500;
const REPORT_EVERY_MS = 1000;

/**
 * Takes the session-level advisory lock by polling pg_try_advisory_lock outside any transaction: a blocked
 * pg_advisory_lock call is a running statement with a snapshot, on which the holder's CREATE INDEX CONCURRENTLY
 * waits until the server reports a deadlock (law 2).
 * @returns true if held, false if it is not needed any more.
 * @throws GodwitError LOCK_BUSY when `waitMs` is over.
 */
export async function acquireAdvisoryLock(
  session: Session,
  scope: LockScope,
  options: AcquireOptions,
): Promise<boolean> {
  const started = monotonicMs();
  let poll = FIRST_POLL_MS;
  let reported = -REPORT_EVERY_MS;
  for (;;) {
    const [row] = await session.rows(
      `SELECT pg_catalog.pg_try_advisory_lock(${advisoryKey(scope)}) AS locked`,
    );
    if (row?.locked === "t") return true;
    const elapsed = monotonicMs() - started;
    if (elapsed - reported >= REPORT_EVERY_MS || elapsed >= options.waitMs) {
      reported = elapsed;
      const holder = await findHolder(session, scope);
      options.onWaiting(holder === null ? null : describeHolder(holder), elapsed);
      if (elapsed > 0 && !(await options.stillNeeded())) return false;
      if (elapsed >= options.waitMs) throw busy(scope, holder, elapsed);
    }
    // Jitter keeps fifty waiters from asking in step.
    await sleep(
      Math.min(poll * (0.5 + Math.random()), Math.max(1, options.waitMs - elapsed)),
      options.signal,
    );
    poll = Math.min(poll * 1.5, LONGEST_POLL_MS);
  }
}

/** Gives the lock back. A session that is gone has given it back already. */
export async function releaseAdvisoryLock(session: Session, scope: LockScope): Promise<void> {
  if (session.lost) return;
  await session.query(`SELECT pg_catalog.pg_advisory_unlock(${advisoryKey(scope)})`);
}

function busy(scope: LockScope, holder: LockHolder | null, elapsedMs: number): GodwitError {
  return new GodwitError(
    "LOCK_BUSY",
    `${sayHolder(holder, scope.stream)}; waited ${formatDuration(elapsedMs)}`,
    { hint: "wait longer with --lock-wait 30min, or see what it does: godwit status" },
  );
}
