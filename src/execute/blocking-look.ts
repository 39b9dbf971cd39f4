import { maskedQuery } from "../postgres/masked-query.ts";
import type { TextRow } from "../postgres/session.ts";
import type { SecondSession, WatchedBackend } from "./second-session.ts";

/** A session that waits for the watched one. */
export interface Waiter {
  readonly pid: number;
  /** Empty where it gave none. */
  readonly application: string;
  /** What it runs, shortened; null where this role may not see it. */
  readonly query: string | null;
  /** The relation whose lock it wants; null for a row, or an object of another kind. */
  readonly relation: string | null;
  readonly waitedMs: number;
}

/** What one look saw of the watched session and of who waits for it. */
export interface BlockingSight {
  /** What tells its transaction from others: when it began, as a number of its own; null: it has none open. */
  readonly transaction: string | null;
  /** Whether it has a transaction open and runs nothing in it, or that is not known. */
  readonly idle: boolean;
  /** Whether it waits for a lock itself, so that others only queue behind it. */
  readonly waitsItself: boolean;
  /** The one that has waited longest comes first. */
  readonly waiters: readonly Waiter[];
}

/** Without track_activities (manual 19.9.1) a server keeps no times and states, but every transaction has a virtual id. */
const TRANSACTION = `coalesce(EXTRACT(epoch FROM xact_start)::text, (SELECT v.virtualxid FROM pg_catalog.pg_locks v
    WHERE v.pid = $1::integer AND v.locktype = 'virtualxid' AND v.mode = 'ExclusiveLock' AND v.granted LIMIT 1))`;

/**
 * Who waits for the session $1 that began at $2, directly or behind others that do. `pg_blocking_pids` tells both who holds a lock and who stands
 * before in its queue (manual 9.27.1), so that those behind a waiting request of ours count as well; whoever waits for a row
 * queues behind the first who does, who alone waits for us. Left out are waits for advisory locks, with which other
 * migration tools queue, for transactions as such, with which CREATE INDEX CONCURRENTLY is patient, autovacuum, which gives
 * way by itself, and sessions of Godwit. `waitstart` is known from PostgreSQL 14 on, and empty for a moment.
 */
const LOOK_SQL = `WITH RECURSIVE waits AS MATERIALIZED (
  SELECT l.pid, l.database, l.relation, l.locktype, pg_catalog.pg_blocking_pids(l.pid) AS blockers,
    coalesce(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.waitstart) * 1000, 0) AS waited
  FROM pg_catalog.pg_locks l WHERE NOT l.granted AND l.locktype NOT IN ('advisory', 'virtualxid') AND l.pid <> $1::integer
), caught AS (
  SELECT w.pid FROM waits w WHERE $1::integer = ANY (w.blockers)
  UNION SELECT w.pid FROM waits w JOIN caught c ON c.pid = ANY (w.blockers)
), waiters AS (
  SELECT w.pid, w.waited, a.application_name, ${maskedQuery("nullif(a.query, '<insufficient privilege>')")} AS query,
    CASE WHEN w.locktype = 'relation' AND w.database = a.datid AND a.datname = pg_catalog.current_database()
      THEN w.relation::pg_catalog.regclass::text END AS relation
  FROM caught JOIN waits w USING (pid) JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
  WHERE a.usesysid IS NOT NULL AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
    AND a.application_name !~ '^godwit(/| |$)'
)
SELECT us.transaction, us.idle, us.waits_itself, waiters.* FROM (
  SELECT ${TRANSACTION} AS transaction, state IN ('idle in transaction', 'disabled') AS idle,
    wait_event_type = 'Lock' AS waits_itself
  FROM pg_catalog.pg_stat_activity WHERE pid = $1::integer AND backend_start = $2::timestamptz
) us LEFT JOIN waiters ON true ORDER BY waiters.waited DESC NULLS LAST`;

/** @returns null where the watched session is not there. @throws as `SecondSession.rows`. */
export async function lookWhoWaits(
  second: SecondSession,
  { pid, start }: WatchedBackend,
): Promise<BlockingSight | null> {
  const rows = await second.rows(LOOK_SQL, [String(pid), start ?? "-infinity"]);
  const [first] = rows;
  if (first === undefined) return null;
  return {
    transaction: first.transaction ?? null,
    idle: first.idle === "t",
    waitsItself: first.waits_itself === "t",
    waiters: rows.filter((row) => row.pid !== null).map(waiter),
  };
}

function waiter(row: TextRow): Waiter {
  return {
    pid: Number(row.pid),
    application: row.application_name ?? "",
    query: row.query ?? null,
    relation: row.relation ?? null,
    waitedMs: Number(row.waited),
  };
}

/**
 * Cancels what the session $1 runs that began at $2 if its transaction is still the one that began at $3; all of it is looked up by the
 * statement that acts.
 */
export const CANCEL_SQL = `SELECT pg_catalog.pg_cancel_backend(pid) AS done FROM pg_catalog.pg_stat_activity
WHERE pid = $1::integer AND backend_start = $2::timestamptz AND ${TRANSACTION} = $3`;
