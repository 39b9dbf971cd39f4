import type { Session } from "../postgres/session.ts";
import { ident } from "../sql/quote.ts";
import { advisoryKey, holderPrefix, lockKey, type LockScope } from "./key.ts";
import { leasedSql } from "./lease-sql.ts";
import type { Backend } from "./row.ts";
import { unlessNotThere } from "./unless-not-there.ts";

/** Who holds a lock now, as far as this role may see. */
export interface LockHolder {
  /** null: behind a pooler, where no session is its own, or not known yet. */
  readonly pid: number | null;
  /** Host recorded by the holder; null before it wrote its row. */
  readonly host: string | null;
  readonly runId: string | null;
  /** Seconds since it acquired the lock, by the database's clock. */
  readonly heldSeconds: number | null;
  /** What its session runs now; null where this role may not see it. */
  readonly query: string | null;
}

/** Finds who holds a lock, by the advisory lock or by a lease; null if nobody does. Reads only. */
export async function findHolder(session: Session, scope: LockScope): Promise<LockHolder | null> {
  const [row] = await session.rows(
    `SELECT l.pid, a.query FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint`,
    [advisoryKey(scope)],
  );
  if (row === undefined) return findLessee(session, scope);
  const pid = Number(row.pid);
  const recorded = await recordedHolder(session, scope, pid);
  return {
    pid,
    host: recorded?.host ?? null,
    runId: recorded?.owner ?? null,
    heldSeconds: recorded === undefined ? null : Number(recorded.held),
    query: visible(row.query),
  };
}

async function findLessee(session: Session, scope: LockScope): Promise<LockHolder | null> {
  const rows = await unlessNotThere(
    session.rows(
      `SELECT l.backend_pid, l.host, l.owner, a.query, extract(epoch FROM pg_catalog.clock_timestamp() - l.acquired_at) AS held
       FROM ${ident(scope.schema)}.migration_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.backend_pid
       WHERE l.key = $1 AND ${leasedSql("l")}`,
      [lockKey(scope)],
    ),
  );
  const row = rows?.[0];
  if (row === undefined) return null;
  const pid = row.backend_pid ?? null;
  return {
    pid: pid === null ? null : Number(pid),
    host: row.host ?? null,
    runId: row.owner ?? null,
    heldSeconds: Number(row.held),
    query: visible(row.query),
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

function nameOf({ pid, host, runId }: LockHolder): string {
  const who = pid === null ? `run ${runId ?? "unknown"}` : `backend ${pid}`;
  return `${who}${host === null ? "" : ` on ${host}`}`;
}

function visible(query: string | null | undefined): string | null {
  return query === "" || query === "<insufficient privilege>" ? null : (query ?? null);
}

/**
 * Process ids of sessions of holders of this lock, other than our own: those that carry a holder's name, and the one that
 * the lock's row named, since a migration may change its session's name.
 * @param recorded the session that the row named before the lock was claimed.
 */
export async function sessionsOfHolders(
  session: Session,
  scope: LockScope,
  recorded: Backend | null,
): Promise<number[]> {
  const rows = await session.rows(
    `SELECT pid FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid()
       AND ((datname = pg_catalog.current_database() AND pg_catalog.starts_with(application_name, $1))
         OR (pid = $2::pg_catalog.int4 AND backend_start = $3::pg_catalog.timestamptz))`,
    [holderPrefix(scope), recorded?.pid ?? null, recorded?.start ?? null],
  );
  return rows.map((row) => Number(row.pid));
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
