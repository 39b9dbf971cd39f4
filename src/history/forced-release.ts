import { GodwitError } from "../core/error.ts";
import type { Session } from "../postgres/session.ts";
import { ident, literal } from "../sql/quote.ts";
import { scopeCondition, type HistoryScope } from "./read.ts";

/** The event of an entry of the log that says that a lock was taken from a run that lived; `details.holder.run_id` is that run. */
export const RELEASED_BY_FORCE = "lock.released_by_force";

/**
 * Whether somebody took the lock from a run by force: it must not take the lock again by itself, as it may after losing its
 * connection. The history must be there.
 * @returns LOCK_LOST with who did it and why, for the run to end with; null: nobody did.
 */
export async function forcedOut(
  session: Session,
  scope: HistoryScope,
  runId: string,
): Promise<GodwitError | null> {
  const [row] = await session.rows(
    `SELECT details -> 'by' ->> 'user' AS os_user, details -> 'by' ->> 'host' AS host, details ->> 'reason' AS reason
     FROM ${ident(scope.schema)}.migration_log WHERE ${scopeCondition(scope)} AND event = ${literal(RELEASED_BY_FORCE)}
       AND details -> 'holder' ->> 'run_id' = ${literal(runId)} ORDER BY seq DESC LIMIT 1`,
  );
  if (row === undefined) return null;
  const who = row.os_user ?? "somebody";
  const where = row.host === null ? "" : `@${row.host}`;
  return new GodwitError(
    "LOCK_LOST",
    `${who}${where} took Godwit's lock from this run by force: ${row.reason ?? "no reason given"}`,
    { hint: "what it had committed is in the history; if the rest shall be done: godwit up" },
  );
}
