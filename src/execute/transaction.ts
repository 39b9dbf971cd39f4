import { isGodwitError } from "../core/error.ts";
import { sleep, throwIfAborted } from "../core/interrupt.ts";
import type { HistoryChange } from "../history/writer.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { isRetryableInTransaction, SQLSTATE } from "../postgres/sqlstate.ts";
import { BEGIN } from "../postgres/work-session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";
import { retriedEntry } from "./log-entries.ts";
import { subject } from "./statement-events.ts";
import { StatementFailure } from "./statement-pipeline.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;
/** From the second attempt on somebody is known to be in the way: look who, before the lock_timeout is over. */
const LOOK_FOR_BLOCKERS_AFTER_MS = 100;

/** A transaction on its way to the server. */
export interface UnderWay<T> {
  readonly results: () => Promise<T>;
  /** The outcome of COMMIT where it was sent along; null: it is yet to be sent. */
  readonly committed: Promise<void> | null;
}

export interface Work<T> {
  /**
   * Sends BEGIN and the first statements; called for each attempt, but for the first only if nothing is under way.
   * @param lockTimeoutMs for this attempt; null: as planned.
   */
  readonly start: (lockTimeoutMs: number | null) => UnderWay<T>;
  readonly underWay?: UnderWay<T> | null;
  readonly change: (result: T) => HistoryChange;
  /** Called as soon as COMMIT is on its way, to send what may follow it; not where COMMIT was sent along. */
  readonly onCommitting?: () => void;
  /** Called when the transaction was rolled back, and with it whatever was sent behind it. */
  readonly onRolledBack?: () => void;
}

/**
 * Runs `work` in a transaction that commits together with the history that it makes of its result (law 5).
 * Lock timeouts and deadlocks roll the whole transaction back and try it again, with growing, jittered pauses, until
 * the context's `lockRetryMs` is over (law 7).
 * @throws StatementFailure, the server's error if the commit was refused, GodwitError; the transaction is rolled back.
 */
export async function inTransaction<T>(
  context: ExecutionContext,
  planned: PlannedMigration,
  work: Work<T>,
): Promise<T> {
  const { session, writer } = context;
  const deadline = performance.now() + context.lockRetryMs;
  let pause = FIRST_RETRY_MS;
  context.watch.forgetBlockers();
  for (let attempt = 1; ; attempt++) {
    const sent = (attempt === 1 ? work.underWay : null) ?? work.start(patience(context, planned));
    try {
      const result =
        attempt === 1
          ? await sent.results()
          : await context.watch.during(sent.results, () => undefined, LOOK_FOR_BLOCKERS_AFTER_MS);
      if (sent.committed === null) {
        throwIfAborted(context.signal);
        const committed = writer.commitWith(work.change(result));
        committed.catch(() => undefined);
        work.onCommitting?.();
        await committed;
      } else {
        await sent.committed;
      }
      return result;
    } catch (error) {
      await session.cleanup(() => session.query("ROLLBACK"));
      writer.forgetUncommitted();
      work.onRolledBack?.();
      const sqlstate = sqlstateOf(error instanceof StatementFailure ? error.cause : error);
      if (!isRetryableInTransaction(sqlstate) || performance.now() >= deadline || isGodwitError(error))
        throw error;
      const delayMs = Math.round(pause * (0.5 + Math.random()));
      const blockers = context.watch.lastBlockers;
      const what = sqlstate === SQLSTATE.deadlockDetected ? "deadlock" : "lock not available";
      const reason = blockers === null ? what : `${what}, held by ${blockers}`;
      context.emit({ type: "migration.retrying", ...subject(context, planned), reason, attempt, delayMs });
      await writer.write({ log: [retriedEntry(planned, reason, attempt, delayMs)] });
      await sleep(delayMs, context.signal);
      pause = Math.min(pause * 2, LONGEST_RETRY_MS);
    }
  }
}

/** The lock_timeout of an attempt that is to outlast what gives way in time; null: the planned one does, or has no limit. */
function patience(context: ExecutionContext, planned: PlannedMigration): number | null {
  const { givesWayAfterMs } = context.watch;
  if (givesWayAfterMs === null || planned.lockTimeoutMs === 0 || planned.lockTimeoutMs >= givesWayAfterMs)
    return null;
  return givesWayAfterMs;
}

/**
 * BEGIN and the settings of one migration's transaction, as one message.
 * @param lockTimeoutMs in place of the planned one.
 */
export function beginSql(
  context: ExecutionContext,
  planned: PlannedMigration,
  lockTimeoutMs: number | null = null,
): string {
  const parts: string[] = [BEGIN];
  const wanted = lockTimeoutMs ?? planned.lockTimeoutMs;
  if (wanted !== context.work.lockTimeoutMs) parts.push(`SET LOCAL lock_timeout = ${wanted}`);
  if (planned.statementTimeoutMs !== context.work.statementTimeoutMs) {
    parts.push(`SET LOCAL statement_timeout = ${planned.statementTimeoutMs}`);
  }
  if (context.searchPath !== null) parts.push(`SET LOCAL search_path = ${context.searchPath}`);
  return parts.join("; ");
}
