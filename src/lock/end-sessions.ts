import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { isoTimestamp } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { literal } from "../sql/quote.ts";

/** A session by what cannot be another's: process ids are used again, but not at the same moment. */
export interface SessionIdentity {
  readonly pid: number;
  /** ISO 8601 UTC with microseconds; null where the role may not see it. */
  readonly backendStart: string | null;
}

/** How long a terminated session may take to be gone: it rolls back first. */
const GONE_AFTER_MS = 30_000;

/**
 * Terminates sessions and waits until they are gone, which is when their locks are free and what they did not commit is
 * rolled back. Who a session is and its end are one statement, so that no other that got its process id is struck.
 * @returns the process ids that were there.
 * @throws GodwitError PERMISSION_DENIED if the role may not end one; TIMEOUT if one is still there after half a minute.
 */
export async function endSessions(
  session: Session,
  sessions: readonly SessionIdentity[],
  signal?: AbortSignal,
): Promise<number[]> {
  const ended: number[] = [];
  for (const one of sessions) {
    const rows = await session
      .rows(`SELECT pg_catalog.pg_terminate_backend(a.pid) FROM ${asSeen(one)}`)
      .catch((error: unknown) => {
        throw sqlstateOf(error) === SQLSTATE.insufficientPrivilege ? notAllowed(one.pid, error) : error;
      });
    if (rows.length > 0) ended.push(one.pid);
  }
  const started = monotonicMs();
  let poll = 10;
  for (const one of sessions) {
    while ((await session.rows(`SELECT FROM ${asSeen(one)}`)).length > 0) {
      if (monotonicMs() - started > GONE_AFTER_MS) throw stillThere(one.pid);
      await sleep(poll, signal);
      poll = Math.min(poll * 2, 250);
    }
  }
  return ended;
}

function asSeen({ pid, backendStart }: SessionIdentity): string {
  const start = `${isoTimestamp("a.backend_start")} IS NOT DISTINCT FROM ${literal(backendStart)}`;
  return `pg_catalog.pg_stat_activity a WHERE a.pid = ${pid} AND a.datname = pg_catalog.current_database() AND ${start}`;
}

function notAllowed(pid: number, cause: unknown): GodwitError {
  return new GodwitError("PERMISSION_DENIED", `this role may not end backend ${pid}`, {
    sqlstate: SQLSTATE.insufficientPrivilege,
    hint: `as its owner or a superuser: SELECT pg_terminate_backend(${pid});`,
    cause,
  });
}

function stillThere(pid: number): GodwitError {
  return new GodwitError("TIMEOUT", `backend ${pid} was told to end half a minute ago and is still there`, {
    hint: "it may be rolling back much, or hang in the operating system; then run the same command again",
  });
}
