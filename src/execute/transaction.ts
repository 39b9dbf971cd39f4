import { crashPoint } from "../core/crash-points.ts";
import { throwIfAborted } from "../core/interrupt.ts";
import type { HistoryChange } from "../history/change.ts";
import { isoTimestamp } from "../postgres/server-facts.ts";
import { BEGIN, workSettingsSql } from "../postgres/work-session.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import { isDatabaseError } from "../postgres/database-error.ts";
import type { ExecutionContext } from "./context.ts";
import { CourteousWork } from "./courteous-work.ts";
import type { ObjectLocks, WhileKeptOut } from "./locks/object-locks.ts";
import { LockRetry } from "./lock-retry.ts";
import { limitsOf } from "./patient.ts";
import { StatementFailure } from "./statement-pipeline.ts";

/** A transaction on its way to the server. */
export interface UnderWay<T> {
  readonly results: () => Promise<T>;
  /** The outcome of COMMIT where it was sent along; null: it is yet to be sent. */
  readonly committed: Promise<unknown> | null;
  /** Whether all of it is one message: then a failure does not tell which statement it was, and all is tried one by one. */
  readonly inOneMessage?: boolean;
}

export interface Work<T> {
  /** What is done; undefined: nothing but the history. */
  readonly step: PlanStep | undefined;
  /**
   * Sends BEGIN and the first statements; called for each attempt, but for the first only if nothing is under way yet.
   * @param lockTimeoutMs for this attempt; null: as planned.
   * @param takeLocks what to send right behind BEGIN; empty: nothing.
   */
  readonly start: (lockTimeoutMs: number | null, takeLocks: string) => UnderWay<T>;
  /** Its strong locks on what others use; absent: it takes none. */
  readonly locks?: ObjectLocks | null;
  readonly underWay?: UnderWay<T> | null;
  readonly change: (result: T) => HistoryChange;
  /** The session's reset, to hold from the commit on; absent: the session stays as it is. */
  readonly reset?: string;
  /** Called as soon as COMMIT is on its way, to send what may follow it; not where COMMIT was sent along. */
  readonly onCommitting?: () => void;
  /** Called when the transaction was rolled back, and with it whatever was sent behind it. */
  readonly onRolledBack?: () => void;
}

/**
 * Runs `work` in a transaction that commits together with the history that it makes of its result (law 5).
 * Lock timeouts and deadlocks roll the whole transaction back and try it again; see `LockRetry`.
 * @throws StatementFailure, the server's error if the commit was refused, GodwitError; the transaction is rolled back.
 */
export async function inTransaction<T>(
  context: ExecutionContext,
  planned: PlannedMigration,
  work: Work<T>,
): Promise<T> {
  const { session, writer } = context;
  const retry = new LockRetry(context, planned);
  const guard = new CourteousWork(context, planned, work.step);
  let underWay = work.underWay ?? null;
  for (;;) {
    const { locks = null } = work;
    if (underWay === null) await locks?.untilClear(retry.deadline, whileKeptOut(retry, guard));
    const limit = retry.lockTimeoutMs ?? locks?.budgetMs ?? null;
    const sent = underWay ?? work.start(limit, locks?.takeSql(limit) ?? "");
    underWay = null;
    let ran = false;
    crashPoint("transaction.begun", planned.id);
    try {
      return await guard.run(async () => {
        const result = await retry.watched(sent.results);
        ran = true;
        guard.isCommitting();
        if (sent.committed === null) {
          crashPoint("transaction.statements-done", planned.id);
          throwIfAborted(context.signal);
          const committed = writer.commitWith(
            guard.withActs(work.change(result)),
            work.reset === undefined ? {} : { reset: work.reset },
          );
          committed.catch(() => undefined);
          work.onCommitting?.();
          crashPoint("transaction.commit-sent", planned.id);
          await committed;
        } else {
          await sent.committed;
        }
        crashPoint("transaction.committed", planned.id);
        return result;
      });
    } catch (error) {
      const judged = await guard.judge(error);
      await session.cleanup(() => session.query("ROLLBACK"));
      writer.forgetUncommitted();
      work.onRolledBack?.();
      if (sent.inOneMessage === true && isDatabaseError(error) && context.signal?.aborted !== true) continue;
      if (judged === "again") continue;
      if (locks?.refused(error) === true) continue;
      await session.cleanup(() => context.courtesy.writeActs(writer));
      const taking = locks !== null && !ran && isDatabaseError(judged);
      await retry.again(
        taking ? new StatementFailure(locks.statement, judged) : judged,
        taking ? locks.tables : null,
      );
    }
  }
}

/** What is done while work is kept out of the queue for a lock. */
export function whileKeptOut(retry: LockRetry, guard: CourteousWork): WhileKeptOut {
  return {
    tell: (reason, delayMs, keptOutMs) => retry.keptOut(reason, delayMs, keptOutMs),
    act: (held) => guard.keptOut(held),
  };
}

/** The session of the server that a transaction got behind a pooler, as `ServerFacts` has it. */
const OWN_BACKEND = `SELECT a.pid AS godwit_pid, ${isoTimestamp("a.backend_start")} AS godwit_start FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a`;

/**
 * BEGIN and the settings of one migration's transaction, as one message: whatever fails in it aborts the transaction, and
 * the server refuses what follows.
 * @param options.select expressions to select right behind BEGIN.
 * @param options.lockTimeoutMs in place of the planned one.
 * @param options.takeLocks what takes locks when all else is set.
 */
export function beginSql(
  context: ExecutionContext,
  planned: PlannedMigration,
  options: {
    readonly select: readonly string[];
    readonly lockTimeoutMs: number | null;
    readonly takeLocks?: string;
  },
): string {
  const { searchPath, work } = context;
  const limits = limitsOf(context, planned, planned.steps[0]);
  const parts: string[] = [BEGIN];
  if (options.select.length > 0) parts.push(`SELECT ${options.select.join(", ")}`);
  if (work.pooled) parts.push(workSettingsSql(work), OWN_BACKEND);
  const lockTimeoutMs = limits.lockTimeoutMs === 0 ? 0 : (options.lockTimeoutMs ?? limits.lockTimeoutMs);
  if (lockTimeoutMs !== work.lockTimeoutMs) parts.push(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  if (limits.statementTimeoutMs !== work.statementTimeoutMs) {
    parts.push(`SET LOCAL statement_timeout = ${limits.statementTimeoutMs}`);
  }
  if (searchPath !== null) parts.push(`SET LOCAL search_path = ${searchPath}`);
  return `${parts.join("; ")}${options.takeLocks ?? ""}`;
}

/** As `beginSql` for a step of several, in a session that has the settings of its migration already. */
export function beginStepSql(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: PlanStep,
  lockTimeoutMs: number | null,
): string {
  const limits = limitsOf(context, planned, step);
  const lock = limits.lockTimeoutMs === 0 ? 0 : (lockTimeoutMs ?? limits.lockTimeoutMs);
  const parts: string[] = [BEGIN];
  // What the file has set holds, unless something else is needed for this attempt.
  if (lock !== planned.lockTimeoutMs) parts.push(`SET LOCAL lock_timeout = ${lock}`);
  if (limits.statementTimeoutMs !== planned.statementTimeoutMs) {
    parts.push(`SET LOCAL statement_timeout = ${limits.statementTimeoutMs}`);
  }
  return parts.join("; ");
}
