import { monotonicMs } from "../core/clock.ts";
import { crashPoint } from "../core/crash-points.ts";
import { formatDuration } from "../core/duration.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import type { Session } from "../postgres/session.ts";
import type { LockGate } from "./gate.ts";
import { describeHolder, findHolder, sayHolder, type LockHolder } from "./holder.ts";
import type { LockScope } from "./key.ts";
import { claim, readLockRow, type Claim, type Claimant } from "./row.ts";

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

export interface AcquireOptions {
  readonly session: Session;
  readonly scope: LockScope;
  readonly gate: LockGate;
  readonly by: Omit<Claimant, "provider">;
  /** How long to wait, in milliseconds; 0: one attempt. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Creates the history, or brings it to this version; called once, before its row is claimed. */
  readonly ensureHistory: () => Promise<void>;
  /** Called about once a second while waiting. */
  readonly onWaiting: (seen: Waiting) => void;
  /** Asked about once a second while waiting: when the holder has done all the work, waiting ends without the lock. */
  readonly look: () => Promise<WorkLeft>;
}

const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 500;
const REPORT_EVERY_MS = 1000;

/**
 * Takes a lock by trying again and again, outside any transaction and without a snapshot (law 2): through its gate, and then by
 * claiming its row, which raises the fencing token. Works the same for every provider, and providers exclude each other.
 * @returns null if the lock is not needed any more.
 * @throws GodwitError LOCK_BUSY when `waitMs` is over; what `ensureHistory` throws; the signal's reason.
 */
export async function acquireLock(options: AcquireOptions): Promise<Claim | null> {
  const { session, scope, gate, waitMs, signal } = options;
  const started = monotonicMs();
  const attempt = attempts(options);
  let isFirst = true;
  let poll = FIRST_POLL_MS;
  let reported = -REPORT_EVERY_MS;
  for (;;) {
    let obstacle: GodwitError | null = null;
    const acquired = await attempt(isFirst).catch((error: unknown) => {
      // It may answer again before the time is over.
      if (!isGodwitError(error, "REDIS_UNREACHABLE")) throw error;
      obstacle = error;
      return null;
    });
    if (acquired === "not needed") return null;
    if (acquired !== null) return acquired;
    isFirst = false;
    const elapsed = monotonicMs() - started;
    if (elapsed - reported >= REPORT_EVERY_MS || elapsed >= waitMs) {
      reported = elapsed;
      const holder = await findHolder(session, scope);
      const described = holder === null ? await gate.holder() : describeHolder(holder);
      const { needed, pending } = await options.look();
      if (!needed) return null;
      options.onWaiting({ holder: described, pending, elapsedMs: elapsed });
      if (elapsed >= waitMs) throw obstacle ?? busy(scope, holder, elapsed);
    }
    // Jitter keeps fifty waiters from asking in step.
    await sleep(Math.min(poll * (0.5 + Math.random()), Math.max(1, waitMs - elapsed)), signal);
    poll = Math.min(poll * 1.5, LONGEST_POLL_MS);
  }
}

/** One attempt; null: somebody else has the lock. */
function attempts(options: AcquireOptions): (isFirst: boolean) => Promise<Claim | "not needed" | null> {
  const { session, scope, gate, by } = options;
  let prepared = false;
  const inside = async (isFirst: boolean): Promise<Claim | "not needed" | null> => {
    crashPoint("lock.acquired");
    if (!prepared) await options.ensureHistory();
    prepared = true;
    crashPoint("history.upgraded");
    const seen = await readLockRow(session, scope);
    if (seen?.leased === true) return null;
    // Whoever had it meanwhile may have done everything.
    if (!isFirst && !(await options.look()).needed) return "not needed";
    return claim(session, scope, seen, { ...by, provider: gate.name });
  };
  return async (isFirst) => {
    if (!(await gate.tryEnter())) return null;
    let acquired: Claim | "not needed" | null = null;
    try {
      acquired = await inside(isFirst);
      return acquired;
    } finally {
      if (acquired === null || acquired === "not needed") await gate.leave();
    }
  };
}

function busy(scope: LockScope, holder: LockHolder | null, elapsedMs: number): GodwitError {
  return new GodwitError(
    "LOCK_BUSY",
    `${sayHolder(holder, scope.stream)}; waited ${formatDuration(elapsedMs)}`,
    { hint: "wait longer with --lock-wait 30min, or see what it does: godwit lock status" },
  );
}
