import { GodwitError } from "../core/error.ts";
import { isoTimestamp } from "../postgres/server-facts.ts";
import type { Session, TextRow } from "../postgres/session.ts";
import { ident, literal } from "../sql/quote.ts";
import { scopeCondition, type HistoryScope } from "./read.ts";

/** The event of an entry of the log that says that a lock was taken from a run that lived; `details.holder.run_id` is that run. */
export const RELEASED_BY_FORCE = "lock.released_by_force";

const WHO = `details -> 'by' ->> 'user' AS os_user, details -> 'by' ->> 'host' AS host, details ->> 'reason' AS reason`;

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
    `SELECT ${WHO}
     FROM ${ident(scope.schema)}.migration_log WHERE ${scopeCondition(scope)} AND event = ${literal(RELEASED_BY_FORCE)}
       AND details -> 'holder' ->> 'run_id' = ${literal(runId)} ORDER BY seq DESC LIMIT 1`,
  );
  if (row === undefined) return null;
  return new GodwitError(
    "LOCK_LOST",
    `${whoOf(row)} took Godwit's lock from this run by force: ${row.reason ?? "no reason given"}`,
    { hint: "what it had committed is in the history; if the rest shall be done: godwit up" },
  );
}

/**
 * What a run that took the lock by force did, in words; the history must be there.
 * @param runId the run that the row of the lock names. @returns null: it did not take it by force.
 */
export async function forcedBy(session: Session, scope: HistoryScope, runId: string): Promise<string | null> {
  const [row] = await session.rows(
    `SELECT ${WHO}, ${isoTimestamp("at")} AS at
     FROM ${ident(scope.schema)}.migration_log WHERE ${scopeCondition(scope)} AND event = ${literal(RELEASED_BY_FORCE)}
       AND run_id = ${literal(runId)} ORDER BY seq DESC LIMIT 1`,
  );
  if (row === undefined) return null;
  const at = `${(row.at ?? "").slice(0, 19).replace("T", " ")}Z`;
  return `${whoOf(row)} took it by force at ${at}: ${row.reason ?? "no reason given"}`;
}

function whoOf(row: TextRow): string {
  return `${row.os_user ?? "somebody"}${row.host === null ? "" : `@${row.host}`}`;
}
