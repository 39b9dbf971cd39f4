import { monotonicMs } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import type { Session } from "../postgres/session.ts";
import { Bell } from "./bell.ts";
import type { LockGate } from "./gate.ts";
import { describeHolder, findHolder, sayHolder, type LockHolder } from "./holder.ts";
import type { LockScope } from "./key.ts";

/** What is left of the work that a lock is wanted for. */
export interface WorkLeft {
  readonly needed: boolean;
  /** Migrations still pending, which tells how far the holder is; null: not known. */
  readonly pending: number | null;
}

/** What a waiting run sees. */
export interface Waiting {
  /** null: the holder has just gone, or is not known. */
  readonly holder: string | null;
  readonly pending: number | null;
  readonly elapsedMs: number;
}

export interface PollOptions {
  readonly session: Session;
  /** Nobody shares the session with us, so that it can be told when the lock was given back (law 10). */
  readonly isOwn: boolean;
  readonly scope: LockScope;
  readonly gate: LockGate;
  /** How long to wait, in milliseconds; 0: one attempt. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called about once a second while waiting. */
  readonly onWaiting: (seen: Waiting) => void;
  /** Asked about once a second while waiting: when the holder has done all the work, waiting ends without the lock. */
  readonly look: () => Promise<WorkLeft>;
}

const SHORTEST_POLL_MS = 20;
const LONGEST_POLL_MS = 500;
/** A wait is told of by so much of its length too late at most, and costs the less the longer it takes. */
const POLL_SHARE = 0.06;
/** With a bell only the end of a holder that could not ring it is noticed by asking. */
const POLL_WITH_BELL_MS = 1000;
/** A wait that is shorter is not worth a word. */
const REPORT_EVERY_MS = 1000;

/**
 * Makes attempts until one succeeds, outside any transaction and without a snapshot (law 2).
 * @param attempt null: somebody else has the lock.
 * @returns null if the lock is not needed any more.
 * @throws GodwitError LOCK_BUSY, or REDIS_UNREACHABLE, when `waitMs` is over; what `attempt` throws; the signal's reason.
 */
export async function pollLock<T extends object>(
  options: PollOptions,
  attempt: (isFirst: boolean) => Promise<T | "not needed" | null>,
): Promise<T | null> {
  const { session, scope, gate, waitMs, signal } = options;
  const started = monotonicMs();
  const bell = new Bell(session, scope);
  let isFirst = true;
  let nextReport = REPORT_EVERY_MS;
  for (;;) {
    let obstacle: GodwitError | null = null;
    const acquired = await attempt(isFirst).catch((error: unknown) => {
      // It may answer again before the time is over.
      if (!isGodwitError(error, "REDIS_UNREACHABLE")) throw error;
      obstacle = error;
      return null;
    });
    if (acquired === "not needed") return null;
    if (acquired !== null) {
      await bell.stop();
      return acquired;
    }
    const elapsed = monotonicMs() - started;
    if (elapsed >= nextReport || elapsed >= waitMs) {
      nextReport = elapsed + REPORT_EVERY_MS;
      const holder = await findHolder(session, scope);
      const described = holder === null ? await gate.holder() : describeHolder(holder);
      const { needed, pending } = await options.look();
      if (!needed) return null;
      options.onWaiting({ holder: described, pending, elapsedMs: elapsed });
      if (elapsed >= waitMs) throw obstacle ?? busy(scope, holder, elapsed);
    }
    if (isFirst && options.isOwn) {
      isFirst = false;
      // What was given back before it could be heard is found by asking once more.
      bell.listen();
      continue;
    }
    isFirst = false;
    await bell.ready();
    const untilNext = Math.min(waitMs, nextReport) - (monotonicMs() - started);
    const pause = Math.min(pauseAfter(elapsed, bell.listening), Math.max(1, untilNext));
    // Who gave it back may have done all there was.
    if ((await bell.rung(pause, signal)) && !(await options.look()).needed) return null;
  }
}

function pauseAfter(elapsedMs: number, hasBell: boolean): number {
  const pause = hasBell
    ? POLL_WITH_BELL_MS
    : Math.min(Math.max(SHORTEST_POLL_MS, elapsedMs * POLL_SHARE), LONGEST_POLL_MS);
  // Jitter keeps fifty waiters from asking in step.
  return pause * (0.5 + Math.random());
}

function busy(scope: LockScope, holder: LockHolder | null, elapsedMs: number): GodwitError {
  return new GodwitError(
    "LOCK_BUSY",
    `${sayHolder(holder, scope.stream)}; waited ${formatDuration(elapsedMs)}`,
    { hint: "wait longer with --lock-wait 30min, or see what it does: godwit lock status" },
  );
}
