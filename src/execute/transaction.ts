import { throwIfAborted } from "../core/interrupt.ts";
import type { HistoryChange } from "../history/writer.ts";
import { BEGIN } from "../postgres/work-session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";
import { LockRetry } from "./lock-retry.ts";

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
  for (;;) {
    const sent = (retry.isFirst ? work.underWay : null) ?? work.start(retry.lockTimeoutMs);
    try {
      const result = await retry.watched(sent.results);
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
      await retry.again(error);
    }
  }
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
