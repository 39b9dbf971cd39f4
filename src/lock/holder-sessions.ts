import { isoTimestamp } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { literal } from "../sql/quote.ts";
import { isAdvisoryLock } from "./advisory-sql.ts";
import { holderPrefix, type LockScope } from "./key.ts";
import type { LockState } from "./state.ts";

/** A session of whoever holds a lock, as far as the role that looks may see it. */
export interface HolderSession {
  readonly pid: number;
  /** ISO 8601 UTC with microseconds; null where the role may not see it. */
  readonly backendStart: string | null;
  readonly user: string | null;
  readonly applicationName: string;
  /** Whether it has the advisory lock of this scope. */
  readonly hasAdvisoryLock: boolean;
  /** As pg_stat_activity has it: `active`, `idle in transaction` …; null where the role may not see it. */
  readonly state: string | null;
  /** What it runs, or ran last; null where the role may not see it. */
  readonly query: string | null;
  /** How long it has been in this state, in milliseconds. */
  readonly stateMs: number | null;
  readonly transactionMs: number | null;
  /** Sessions that it waits for. */
  readonly blockers: readonly Blocker[];
}

export interface Blocker {
  /** 0: a prepared transaction, which has no session. */
  readonly pid: number;
  readonly applicationName: string | null;
  readonly query: string | null;
}

/**
 * The sessions of a lock's holder other than our own, the one that works first: the one that has the advisory lock, the one that
 * the row names unless the lock was given back, and those that carry a holder's name. Reads only.
 */
export async function readHolderSessions(
  session: Session,
  scope: LockScope,
  state: LockState | null,
): Promise<HolderSession[]> {
  const named = state === null || state.holding === "free" ? null : state.backendPid;
  const rows = await session.rows(
    `SELECT a.pid, ${isoTimestamp("a.backend_start")} AS backend_start, a.usename, a.application_name, a.state, l.pid IS NOT NULL AS has_lock,
       nullif(nullif(a.query, ''), '<insufficient privilege>') AS query,
       extract(epoch FROM now - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END) * 1000 AS state_ms,
       extract(epoch FROM now - a.xact_start) * 1000 AS transaction_ms,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('pid', b.pid, 'applicationName', o.application_name,
            'query', nullif(nullif(o.query, ''), '<insufficient privilege>')))
          FROM (SELECT DISTINCT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) u (pid)) b
          LEFT JOIN pg_catalog.pg_stat_activity o ON o.pid = b.pid) AS blockers
     FROM pg_catalog.clock_timestamp() now, pg_catalog.pg_stat_activity a LEFT JOIN (
       SELECT DISTINCT p.pid FROM pg_catalog.pg_locks p WHERE p.granted AND ${isAdvisoryLock("p", scope)}) l ON l.pid = a.pid
     WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
       AND (l.pid IS NOT NULL OR pg_catalog.starts_with(a.application_name, ${literal(holderPrefix(scope))})
         OR (a.pid = ${named ?? "NULL"}::int AND coalesce(a.backend_start = ${literal(state?.backendStart ?? null)}, true)))
     ORDER BY l.pid IS NULL, a.pid IS DISTINCT FROM ${named ?? "NULL"}::int, a.backend_start`,
  );
  return rows.map((row) => ({
    pid: Number(row.pid),
    backendStart: row.backend_start ?? null,
    user: row.usename ?? null,
    applicationName: row.application_name ?? "",
    hasAdvisoryLock: row.has_lock === "t",
    state: row.state ?? null,
    query: row.query ?? null,
    stateMs: milliseconds(row.state_ms),
    transactionMs: milliseconds(row.transaction_ms),
    blockers: JSON.parse(row.blockers ?? "[]") as Blocker[],
  }));
}

function milliseconds(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Math.max(0, Math.round(Number(text)));
}

/** Sessions that queue for the advisory lock of this scope in the server, as no run of Godwit does (law 2). */
export async function readQueue(session: Session, scope: LockScope): Promise<Blocker[]> {
  const rows = await session.rows(
    `SELECT p.pid, a.application_name, nullif(nullif(a.query, ''), '<insufficient privilege>') AS query
     FROM pg_catalog.pg_locks p LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
     WHERE NOT p.granted AND ${isAdvisoryLock("p", scope)} ORDER BY p.pid`,
  );
  return rows.map((row) => ({
    pid: Number(row.pid),
    applicationName: row.application_name ?? null,
    query: row.query ?? null,
  }));
}
