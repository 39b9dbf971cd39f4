import { monotonicMs } from "../core/clock.ts";
import { isGodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { isRetryableInTransaction, SQLSTATE } from "../postgres/sqlstate.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";
import { pauseMs } from "./lock-budget.ts";
import { retriedEntry } from "./log-entries.ts";
import { subject } from "./statement-events.ts";
import { StatementFailure } from "./statement-pipeline.ts";

/** From the second attempt on somebody is known to be in the way: look who, before the lock_timeout is over. */
const LOOK_FOR_BLOCKERS_AFTER_MS = 100;

const REASONS: Readonly<Record<string, string>> = {
  [SQLSTATE.deadlockDetected]: "deadlock",
  [SQLSTATE.serializationFailure]: "serialization failure",
};

/**
 * The attempts at a piece of work that has no effect when it fails for a lock: after a lock timeout or a deadlock it is tried
 * again, with growing, jittered pauses, until the context's `lockRetryMs` is over (law 7).
 */
export class LockRetry {
  readonly #context: ExecutionContext;
  readonly #planned: PlannedMigration;
  readonly #deadline: number;
  #pause: number | null = null;
  /** Attempts that have failed. */
  #attempts = 0;
  /** Whether somebody has been in the way, be it that nothing was tried. */
  #wasBlocked = false;
  #began = monotonicMs();

  constructor(context: ExecutionContext, planned: PlannedMigration) {
    this.#context = context;
    this.#planned = planned;
    this.#deadline = monotonicMs() + context.lockRetryMs;
    context.watch.forgetBlockers();
  }

  /** Until when it is tried again, by the monotonic clock. */
  get deadline(): number {
    return this.#deadline;
  }

  /** The lock_timeout of an attempt that is to outlast what gives way in time; null: the planned one does, or has no limit. */
  get lockTimeoutMs(): number | null {
    const { givesWayAfterMs } = this.#context.watch;
    const { lockTimeoutMs } = this.#planned;
    if (givesWayAfterMs === null || lockTimeoutMs === 0 || lockTimeoutMs >= givesWayAfterMs) return null;
    return givesWayAfterMs;
  }

  /** Runs an attempt; once somebody has been in the way it is watched for who it is. */
  async watched<T>(attempt: () => Promise<T>): Promise<T> {
    this.#began = monotonicMs();
    if (!this.#wasBlocked) return attempt();
    return this.#context.watch.during(attempt, () => undefined, LOOK_FOR_BLOCKERS_AFTER_MS);
  }

  /**
   * Waits for the next attempt, tells of it and logs it. No transaction may be open.
   * @param wanted what it could not lock, in words; null: not known.
   * @throws `error` if it is none of a lock, or the time is over; GodwitError LOCK_LOST; the signal's reason.
   */
  async again(error: unknown, wanted: string | null = null): Promise<void> {
    const sqlstate = sqlstateOf(error instanceof StatementFailure ? error.cause : error);
    if (!isRetryableInTransaction(sqlstate) || isGodwitError(error)) throw error;
    if (monotonicMs() >= this.#deadline) throw error;
    const { signal, watch } = this.#context;
    const { lockTimeoutMs } = this.#planned;
    // What came before the lock is work, and not the time in its queue.
    const queuedMs = Math.min(monotonicMs() - this.#began, lockTimeoutMs === 0 ? Infinity : lockTimeoutMs);
    const delayMs = pauseMs(this.#pause, queuedMs, Math.random());
    const tag = error instanceof StatementFailure ? ` for ${error.statement.tag}` : "";
    const what = REASONS[sqlstate ?? ""] ?? `lock not available${wanted === null ? tag : ` on ${wanted}`}`;
    const reason = watch.lastBlockers === null ? what : `${what}, held by ${watch.lastBlockers}`;
    await this.failed(reason, delayMs);
    await sleep(delayMs, signal);
    this.#pause = delayMs;
  }

  /** Tells of an attempt that failed and of the pause behind it, and logs it. No transaction may be open. @throws GodwitError LOCK_LOST. */
  async failed(reason: string, delayMs: number): Promise<void> {
    this.#attempts += 1;
    await this.#tell(reason, delayMs, null);
  }

  /** The same for who stays out of the queue, and has tried nothing. @throws GodwitError LOCK_LOST. */
  async keptOut(reason: string, delayMs: number, keptOutMs: number): Promise<void> {
    await this.#tell(reason, delayMs, keptOutMs);
  }

  async #tell(reason: string, delayMs: number, keptOutMs: number | null): Promise<void> {
    const { emit, writer } = this.#context;
    const retried = { reason, attempt: this.#attempts, delayMs, keptOutMs };
    this.#wasBlocked = true;
    emit({ type: "migration.retrying", ...subject(this.#context, this.#planned), ...retried });
    await writer.write({ log: [retriedEntry(this.#planned, retried)] });
  }
}
