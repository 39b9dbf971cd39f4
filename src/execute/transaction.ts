import { throwIfAborted } from "../core/interrupt.ts";
import type { HistoryChange } from "../history/writer.ts";
import { BEGIN, workSettingsSql } from "../postgres/work-session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { isDatabaseError } from "../postgres/database-error.ts";
import type { ExecutionContext } from "./context.ts";
import { LockRetry } from "./lock-retry.ts";

/** A transaction on its way to the server. */
export interface UnderWay<T> {
  readonly results: () => Promise<T>;
  /** The outcome of COMMIT where it was sent along; null: it is yet to be sent. */
  readonly committed: Promise<unknown> | null;
  /** Whether all of it is one message: then a failure does not tell which statement it was, and all is tried one by one. */
  readonly inOneMessage?: boolean;
}

export interface Work<T> {
  /**
   * Sends BEGIN and the first statements; called for each attempt, but for the first only if nothing is under way yet.
   * @param lockTimeoutMs for this attempt; null: as planned.
   */
  readonly start: (lockTimeoutMs: number | null) => UnderWay<T>;
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
  let underWay = work.underWay ?? null;
  for (;;) {
    const sent = underWay ?? work.start(retry.lockTimeoutMs);
    underWay = null;
    try {
      const result = await retry.watched(sent.results);
      if (sent.committed === null) {
        throwIfAborted(context.signal);
        const committed = writer.commitWith(
          work.change(result),
          work.reset === undefined ? {} : { reset: work.reset },
        );
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
      if (sent.inOneMessage === true && isDatabaseError(error) && context.signal?.aborted !== true) continue;
      await retry.again(error);
    }
  }
}

/**
 * BEGIN and the settings of one migration's transaction, as one message: whatever fails in it aborts the transaction, and
 * the server refuses what follows.
 * @param options.select expressions to select right behind BEGIN.
 * @param options.lockTimeoutMs in place of the planned one.
 */
export function beginSql(
  { searchPath, work }: ExecutionContext,
  planned: PlannedMigration,
  options: { readonly select: readonly string[]; readonly lockTimeoutMs: number | null },
): string {
  const parts: string[] = [BEGIN];
  if (options.select.length > 0) parts.push(`SELECT ${options.select.join(", ")}`);
  if (work.pooled) parts.push(workSettingsSql(work), "SELECT pg_catalog.pg_backend_pid() AS godwit_pid");
  const lockTimeoutMs = options.lockTimeoutMs ?? planned.lockTimeoutMs;
  if (lockTimeoutMs !== work.lockTimeoutMs) parts.push(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  if (planned.statementTimeoutMs !== work.statementTimeoutMs) {
    parts.push(`SET LOCAL statement_timeout = ${planned.statementTimeoutMs}`);
  }
  if (searchPath !== null) parts.push(`SET LOCAL search_path = ${searchPath}`);
  return parts.join("; ");
}
