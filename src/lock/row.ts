import { GodwitError } from "../core/error.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import type { Session, TextRow } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { BEGIN_READ_COMMITTED } from "../postgres/work-session.ts";
import { ident, literal } from "../sql/quote.ts";
import type { LockProviderName } from "./gate.ts";
import { advisoryKey, lockKey, type LockScope } from "./key.ts";
import { THIS_DATABASE, leasedSql } from "./lease-sql.ts";

/** How long a transaction of somebody else may hold the lock's row, in milliseconds. */
const ROW_WAIT_MS = 30_000;

/** The row of a lock as a run that wants it sees it. */
export interface LockRow {
  readonly token: number;
  /** A lease on it lasts, by the database's clock, and the session of its holder is not gone. */
  readonly leased: boolean;
}

/** A session of the server, told from a later one of the same number by its start; null where the role may not see that. */
export interface Backend {
  readonly pid: number;
  readonly start: string | null;
}

/** Who claims a lock. */
export interface Claimant {
  readonly runId: string;
  readonly host: string | null;
  readonly provider: LockProviderName;
  /** How long the claim lasts without being renewed, in milliseconds; null: as long as the session. */
  readonly leaseMs: number | null;
  /** The session that works, where it is known already. */
  readonly backend: Backend | null;
  /** The hash that the first entry of the log follows. */
  readonly genesis: string;
}

/** A claim that succeeded. */
export interface Claim {
  readonly token: number;
  /** Number of the newest entry of the log. */
  readonly logSeq: number;
  /** The session of an earlier holder that did not give the lock back, which is yet to be proven gone. */
  readonly earlier: Backend | null;
}

/** Reads the row of a lock; null: nobody ever held it. The history must be there. */
export async function readLockRow(session: Session, scope: LockScope): Promise<LockRow | null> {
  const [row] = await session.rows(
    `SELECT l.token, ${leasedSql("l")} AS leased FROM ${ident(scope.schema)}.migration_locks l WHERE l.key = ${literal(lockKey(scope))}`,
  );
  return row === undefined ? null : { token: Number(row.token), leased: row.leased === "t" };
}

/**
 * Raises the token of the lock and becomes its owner, if nobody did so since `seen`. Waits for a transaction that still holds
 * the row, which is what makes the token a fence: after this returns, no earlier holder can commit history (law 3). A lease
 * is given only while nobody holds the advisory lock of the same key, so that runs of both kinds exclude each other.
 * @returns null if somebody else was faster, or holds the advisory lock.
 * @throws GodwitError LOCK_BUSY if somebody holds the row for longer than half a minute; the server's error.
 */
export async function claim(
  session: Session,
  scope: LockScope,
  seen: LockRow | null,
  by: Claimant,
): Promise<Claim | null> {
  const guard =
    by.provider === "advisory" ? "true" : `pg_catalog.pg_try_advisory_xact_lock(${advisoryKey(scope)})`;
  const text = `${BEGIN_READ_COMMITTED}; SET LOCAL lock_timeout = ${ROW_WAIT_MS}; ${claimSql(scope, seen, by, guard)}; COMMIT`;
  try {
    const results = await session.results(text);
    const row = results.find(({ rows }) => rows.length > 0)?.rows[0];
    return row === undefined ? null : asClaim(row);
  } catch (error) {
    await session.cleanup(() => session.query("ROLLBACK"));
    throw sqlstateOf(error) === SQLSTATE.lockNotAvailable ? rowHeld(scope, error) : error;
  }
}

function asClaim(row: TextRow): Claim {
  const pid = row.earlier_pid ?? null;
  return {
    token: Number(row.token),
    logSeq: Number(row.log_seq),
    earlier: pid === null ? null : { pid: Number(pid), start: row.earlier_start ?? null },
  };
}

function claimSql(scope: LockScope, seen: LockRow | null, by: Claimant, guard: string): string {
  const table = `${ident(scope.schema)}.migration_locks`;
  const now = "pg_catalog.clock_timestamp()";
  const values = [
    ["owner", literal(by.runId)],
    ["backend_pid", by.backend === null ? "NULL" : String(by.backend.pid)],
    ["backend_start", literal(by.backend?.start ?? null)],
    ["host", literal(by.host)],
    ["provider", literal(by.provider)],
    ["lease_ms", by.leaseMs === null ? "NULL" : String(by.leaseMs)],
    ["database_oid", THIS_DATABASE],
    ["acquired_at", now],
    ["renewed_at", now],
    ["expires_at", by.leaseMs === null ? "NULL" : `${now} + ${by.leaseMs} * interval '1 ms'`],
  ] as const;
  if (seen === null) {
    const columns = values.map(([name]) => name).join(", ");
    const row = values.map(([name, value]) => `(${value})${castOf(name)}`).join(", ");
    return (
      `INSERT INTO ${table} (key, token, log_hash, ${columns}) SELECT ${literal(lockKey(scope))}, 1, ${literal(by.genesis)}, ${row} ` +
      `WHERE ${guard} ON CONFLICT (key) DO NOTHING RETURNING ${CLAIMED}`
    );
  }
  const changes = values.map(([name, value]) => `${name} = ${value}`).join(", ");
  return (
    // Of a claimant that proved nothing yet there is no work, and what it was to prove is left to be proven.
    `UPDATE ${table} AS l SET token = token + 1, earlier_pid = coalesce(earlier_pid, backend_pid), ` +
    `earlier_start = CASE WHEN earlier_pid IS NULL THEN backend_start ELSE earlier_start END, ${changes} ` +
    `WHERE key = ${literal(lockKey(scope))} AND token = ${seen.token} AND NOT ${leasedSql("l")} AND ${guard} RETURNING ${CLAIMED}`
  );
}

const CLAIMED = "token, log_seq, earlier_pid, earlier_start";

/** The types that an INSERT … SELECT does not take from its columns. */
function castOf(column: string): string {
  if (column === "owner") return "::pg_catalog.uuid";
  if (column === "backend_pid") return "::pg_catalog.int4";
  if (column === "lease_ms") return "::pg_catalog.int8";
  if (column === "backend_start" || column === "expires_at") return "::pg_catalog.timestamptz";
  return column === "host" || column === "provider" ? "::pg_catalog.text" : "";
}

/** Whose a row must be to be changed. */
export interface Ownership {
  readonly token: number;
  readonly runId: string;
}

/** Prolongs a lease. @returns whether it is still ours. */
export async function renewLease(session: Session, scope: LockScope, by: Ownership): Promise<boolean> {
  const rows = await session.rows(`${renewalSql(scope, by)} RETURNING token`);
  return rows.length > 0;
}

/** Statement that prolongs a lease, if it is still ours. */
export function renewalSql(scope: LockScope, by: Ownership): string {
  const now = "pg_catalog.clock_timestamp()";
  return (
    `UPDATE ${ident(scope.schema)}.migration_locks SET renewed_at = ${now}, expires_at = ${now} + lease_ms * interval '1 ms' ` +
    `WHERE ${ours(scope, by)} AND lease_ms IS NOT NULL`
  );
}

/**
 * Statement that says in the row that the lock was given back: it has an end and is no lease. Does nothing where the lock is
 * not ours any more. What is yet to be proven gone stays.
 * @param leftBehind the session that worked may go on in the server: the next run is to prove that it is gone.
 */
export function gaveBackSql(scope: LockScope, by: Ownership, leftBehind = false): string {
  const earlier = leftBehind
    ? `earlier_pid = coalesce(earlier_pid, backend_pid), ` +
      `earlier_start = CASE WHEN earlier_pid IS NULL THEN backend_start ELSE earlier_start END, `
    : "";
  return (
    `UPDATE ${ident(scope.schema)}.migration_locks SET ${earlier}expires_at = pg_catalog.clock_timestamp(), lease_ms = NULL, ` +
    `backend_pid = NULL, backend_start = NULL WHERE ${ours(scope, by)}`
  );
}

/**
 * Statement that says that no session of an earlier holder is left, and in which one the holder works, whose end frees
 * the lock.
 * @param backend null behind a pooler.
 */
export function worksInSql(scope: LockScope, by: Ownership, backend: Backend | null): string {
  return (
    `UPDATE ${ident(scope.schema)}.migration_locks SET backend_pid = ${backend?.pid ?? "NULL"}, ` +
    `backend_start = ${literal(backend?.start ?? null)}, earlier_pid = NULL, earlier_start = NULL ` +
    `WHERE ${ours(scope, by)}`
  );
}

function ours(scope: LockScope, { token, runId }: Ownership): string {
  return `key = ${literal(lockKey(scope))} AND token = ${token} AND owner = ${literal(runId)}`;
}

function rowHeld(scope: LockScope, cause: unknown): GodwitError {
  const table = `${ident(scope.schema)}.migration_locks`;
  return new GodwitError(
    "LOCK_BUSY",
    `a transaction of another session holds the row of the lock in ${table}`,
    {
      hint: `find it and end it: SELECT pid, query FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE relation = ${literal(table)}::regclass;`,
      cause,
    },
  );
}
