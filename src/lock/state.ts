import { sqlstateOf } from "../postgres/database-error.ts";
import { isoTimestamp } from "../postgres/server-facts.ts";
import type { Session, TextRow } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident, literal } from "../sql/quote.ts";
import { isAdvisoryLock } from "./advisory-sql.ts";
import { lockKey, type LockScope } from "./key.ts";
import { sessionGoneSql } from "./lease-sql.ts";

/** What the row of a lock says, judged by the database's clock and by the sessions that are there. */
export interface LockState {
  /** As it stands in `migration_locks`. */
  readonly key: string;
  readonly provider: "advisory" | "lease" | "redis";
  readonly token: number;
  readonly runId: string;
  readonly host: string | null;
  readonly backendPid: number | null;
  /** ISO 8601 UTC with microseconds, as all times here. */
  readonly backendStart: string | null;
  readonly acquiredAt: string;
  readonly renewedAt: string;
  /** When it was given back, or until when it is leased; null: as long as its session lasts. */
  readonly expiresAt: string | null;
  readonly heldSeconds: number;
  /** stale: its holder is gone and did not give it back; the next run takes it. */
  readonly holding: "held" | "free" | "stale";
  /** Why, in words. */
  readonly because: string;
}

/**
 * Reads who holds a lock, and whether that holder still lives. Reads only, in one statement; works with a role that may
 * only read, on a standby, and with a history of version 1, which has no leases.
 * A role that may not see when a session began takes one of the same process id for the holder's.
 * @returns null where there is no history or nobody ever held this lock.
 * @throws the server's error, as for a role that may not read the history.
 */
export async function readLockState(session: Session, scope: LockScope): Promise<LockState | null> {
  const schema = ident(scope.schema);
  try {
    // Columns that a history of version 1 lacks are null in the row's JSON.
    const [row] = await session.rows(
      `SELECT l.key, l.token, l.owner, l.host, l.backend_pid, ${isoTimestamp("l.backend_start")} AS backend_start,
         ${isoTimestamp("l.acquired_at")} AS acquired_at, ${isoTimestamp("l.renewed_at")} AS renewed_at,
         ${isoTimestamp("l.expires_at")} AS expires_at, coalesce(j ->> 'provider', 'advisory') AS provider,
         extract(epoch FROM now - l.acquired_at) AS held, extract(epoch FROM now - l.expires_at) AS over,
         l.expires_at IS NOT NULL AND lease IS NULL AS given_back, l.expires_at > now + lease AS too_long,
         j ->> 'database_oid' <> (SELECT d.oid::text FROM pg_catalog.pg_database d
           WHERE d.datname = pg_catalog.current_database()) AS elsewhere,
         ${sessionGoneSql("l")} AS gone,
         (SELECT p.pid FROM pg_catalog.pg_locks p WHERE p.granted AND ${isAdvisoryLock("p", scope)} LIMIT 1) AS advisory_pid
       FROM ${schema}.migration_locks l, pg_catalog.to_jsonb(l) j, pg_catalog.clock_timestamp() now,
         pg_catalog.make_interval(secs => (j ->> 'lease_ms')::float8 / 1000) lease
       WHERE l.key = ${literal(lockKey(scope))}`,
    );
    return row === undefined ? null : stateFrom(row);
  } catch (error) {
    const sqlstate = sqlstateOf(error);
    if (sqlstate === SQLSTATE.undefinedTable || sqlstate === SQLSTATE.invalidSchemaName) return null;
    throw error;
  }
}

function stateFrom(row: TextRow): LockState {
  const backendPid = row.backend_pid === null ? null : Number(row.backend_pid);
  const provider = row.provider === "lease" || row.provider === "redis" ? row.provider : "advisory";
  const [holding, because] =
    row.given_back === "t"
      ? (["free", "it was given back"] as const)
      : row.expires_at === null
        ? ofSession(row)
        : ofLease(row, provider);
  return {
    key: row.key ?? "",
    provider,
    token: Number(row.token),
    runId: row.owner ?? "",
    host: row.host ?? null,
    backendPid,
    backendStart: row.backend_start ?? null,
    acquiredAt: row.acquired_at ?? "",
    renewedAt: row.renewed_at ?? "",
    expiresAt: row.expires_at ?? null,
    heldSeconds: Number(row.held),
    holding,
    because,
  };
}

type Judgement = readonly [LockState["holding"], string];

/** A lock that lasts as long as a session. */
function ofSession(row: TextRow): Judgement {
  if (row.advisory_pid !== null) return ["held", `backend ${row.advisory_pid} holds it`];
  return ["stale", `backend ${row.backend_pid} is gone`];
}

/** A lock that lasts until its time is over; `provider` is lease or redis. */
function ofLease(row: TextRow, provider: string): Judgement {
  const over = Number(row.over);
  if (over >= 0)
    return ["stale", `the ${provider === "lease" ? "lease" : "lock"} expired ${Math.round(over)} s ago`];
  if (row.elsewhere === "t") return ["stale", "it was given in another database, of which this is a copy"];
  if (row.too_long === "t") return ["stale", "its time goes on for longer than a lease lasts"];
  if (row.gone === "t") return ["stale", `backend ${row.backend_pid} is gone`];
  return ["held", `the ${provider === "lease" ? "lease" : "lock"} is good for ${Math.ceil(-over)} s more`];
}
