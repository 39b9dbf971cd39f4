import { sqlstateOf } from "../postgres/database-error.ts";
import type { Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident } from "../sql/quote.ts";
import { advisoryKey, holderPrefix, lockKey, type LockScope } from "./key.ts";

/** Who holds a lock now, as far as this role may see. */
export interface LockHolder {
  readonly pid: number;
  /** Host recorded by the holder; null before it wrote its row. */
  readonly host: string | null;
  readonly runId: string | null;
  /** Seconds since it acquired the lock, by the database's clock. */
  readonly heldSeconds: number | null;
  /** What its session runs now; null where this role may not see it. */
  readonly query: string | null;
}

/** Finds the session that holds the advisory lock; null if nobody does. Reads only. */
export async function findHolder(session: Session, scope: LockScope): Promise<LockHolder | null> {
  const [row] = await session.rows(
    `SELECT l.pid, a.query FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint`,
    [advisoryKey(scope)],
  );
  if (row === undefined) return null;
  const recorded = await recordedHolder(session, scope, Number(row.pid));
  return {
    pid: Number(row.pid),
    host: recorded?.host ?? null,
    runId: recorded?.owner ?? null,
    heldSeconds: recorded === undefined ? null : Number(recorded.held),
    query:
      row.query === null || row.query === "" || row.query === "<insufficient privilege>"
        ? null
        : (row.query ?? null),
  };
}

/** One line about a holder for people. */
export function describeHolder(holder: LockHolder): string {
  const since = holder.heldSeconds === null ? "" : `, for ${Math.round(holder.heldSeconds)} s`;
  return `${nameOf(holder)}${since}`;
}

/** The same as a sentence about the lock of a stream; null: the holder has just gone. */
export function sayHolder(holder: LockHolder | null, stream: string): string {
  if (holder === null) return `another run holds the lock of "${stream}"`;
  return holder.heldSeconds === null
    ? `${nameOf(holder)} holds the lock of "${stream}"`
    : `${nameOf(holder)} has held the lock of "${stream}" for ${Math.round(holder.heldSeconds)} s`;
}

function nameOf({ pid, host }: LockHolder): string {
  return `backend ${pid}${host === null ? "" : ` on ${host}`}`;
}

/**
 * Process ids of sessions of holders of this lock that did not give it back, other than our own: those that carry a
 * holder's name, and the one that the lock's row names, since a migration may change its session's name.
 */
export async function sessionsOfHolders(session: Session, scope: LockScope): Promise<number[]> {
  const named = await session.rows(
    `SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database()
       AND pg_catalog.starts_with(application_name, $1) AND pid <> pg_catalog.pg_backend_pid()`,
    [holderPrefix(scope)],
  );
  const recorded = await unlessNotThere(
    session.rows(
      `SELECT a.pid FROM ${ident(scope.schema)}.migration_locks l
       JOIN pg_catalog.pg_stat_activity a ON a.pid = l.backend_pid AND a.backend_start = l.backend_start
       WHERE l.key = $1 AND l.expires_at IS NULL AND a.pid <> pg_catalog.pg_backend_pid()`,
      [lockKey(scope)],
    ),
  );
  return [...new Set([...named, ...(recorded ?? [])].map((row) => Number(row.pid)))];
}

async function recordedHolder(
  session: Session,
  scope: LockScope,
  pid: number,
): Promise<{ host: string | null; owner: string | null; held: string | null } | undefined> {
  const rows = await unlessNotThere(
    session.rows(
      `SELECT host, owner, extract(epoch FROM pg_catalog.clock_timestamp() - acquired_at) AS held
       FROM ${ident(scope.schema)}.migration_locks WHERE key = $1 AND backend_pid = $2 AND expires_at IS NULL`,
      [lockKey(scope), String(pid)],
    ),
  );
  const row = rows?.[0];
  return row === undefined
    ? undefined
    : { host: row.host ?? null, owner: row.owner ?? null, held: row.held ?? null };
}

/** Before the first run the history is not there, and a bystander may lack the right to read it: then undefined. */
async function unlessNotThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!NOT_THERE.has(sqlstateOf(error))) throw error;
    return undefined;
  }
}

const NOT_THERE: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.invalidSchemaName,
  SQLSTATE.undefinedColumn,
  SQLSTATE.insufficientPrivilege,
]);
