import { ident, literal } from "../sql/quote.ts";
import { sqlstateOf } from "./database-error.ts";
import type { Session } from "./session.ts";
import { SQLSTATE } from "./sqlstate.ts";

/**
 * How long a server lets a session that others may wait for stand idle, in a transaction or not, in milliseconds: only a client that
 * hangs or was stopped does that for longer.
 */
export const LONGEST_IDLE_MS = 600_000;

/** The settings that every work session keeps, between and after migrations (law 4). */
export interface WorkSettings {
  readonly applicationName: string;
  readonly idleInTransactionMs: number;
  /** For the time between statements outside of any transaction. */
  readonly idleSessionMs: number;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Whether the server's operating system can notice a client that went away while a statement runs. */
  readonly connectionCheck: boolean;
  /** Sessions of the server are shared with others between transactions: each transaction sets what it needs (law 10). */
  readonly pooled: boolean;
  /** Whether the server sees us over TCP, and not over a Unix socket, whose end it always notices. */
  readonly overTcp: boolean;
}

/**
 * Has the server's kernel notice within a minute that the client's machine or the network to it is gone, whether the session is
 * idle (20 s of silence, then 3 probes 10 s apart) or data is on its way (manual 19.3.2). The defaults of an operating
 * system are two hours and a quarter of an hour, and for so long nobody else would get the lock. A system that lacks
 * one of them leaves it at that: SET does not fail.
 */
const NOTICE_DEAD_CLIENT =
  "; SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 50000";

/**
 * Begins a transaction that reads or changes the row of a lock. Whatever the role or the database has set, it must see what others
 * committed while it lasts, as a lease that was renewed; under a snapshot of its beginning the server refuses to change such a row
 * (40001, manual 13.2.2), each time anew.
 */
export const BEGIN_READ_COMMITTED = "BEGIN ISOLATION LEVEL READ COMMITTED";

/**
 * Begins a transaction in a work session. Statements are sent behind it without waiting for its answer, and it may be
 * cancelled like any other: then they would run and commit one by one. Since a work session is read-only outside of
 * transactions that are begun like this, the server refuses them instead.
 */
export const BEGIN: string = `${BEGIN_READ_COMMITTED} READ WRITE`;

/** The statements that establish the settings, as one string; behind a pooler for the open transaction alone. */
export function workSettingsSql(settings: WorkSettings): string {
  const set = settings.pooled ? "SET LOCAL" : "SET";
  const check = settings.connectionCheck ? `; ${set} client_connection_check_interval = 2000` : "";
  const own =
    `; SET idle_session_timeout = ${settings.idleSessionMs}; SET default_transaction_read_only = on` +
    (settings.overTcp ? NOTICE_DEAD_CLIENT : "");
  return (
    `${set} application_name = ${literal(settings.applicationName)}` +
    `; ${set} idle_in_transaction_session_timeout = ${settings.idleInTransactionMs}` +
    `; ${set} lock_timeout = ${settings.lockTimeoutMs}; ${set} statement_timeout = ${settings.statementTimeoutMs}` +
    // Files are split by the grammar's default reading of strings; the server must read them the same way.
    `; ${set} standard_conforming_strings = on${check}${settings.pooled ? "" : own}`
  );
}

/**
 * Brings the session back to where it was before a migration, our settings included (law 9). In a transaction it holds from
 * its commit on, and is undone with it.
 * DISCARD ALL would do most of it but also drops advisory locks, ours among them (PostgreSQL manual, DISCARD).
 */
export function sessionResetSql(settings: WorkSettings): string {
  const { statementTimeoutMs, pooled } = settings;
  const plain = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL";
  // An open cursor would keep a temporary table from being dropped.
  const discarded = "CLOSE ALL; DISCARD TEMP; UNLISTEN *";
  // Prepared statements of a pooled session are the pooler's.
  if (pooled) return `${plain}; ${discarded}`;
  // RESET ALL may bring a limit of the role's own back, and dropping temporary tables can take long.
  const limit = statementTimeoutMs === 0 ? "" : `; SET statement_timeout = ${statementTimeoutMs}`;
  const own = workSettingsSql({ ...settings, statementTimeoutMs: 0 });
  return `${plain}; ${own}; ${discarded}; DEALLOCATE ALL${limit}`;
}

/**
 * Whether client_connection_check_interval can be set here: it needs support of the server's operating system
 * (PostgreSQL manual 19.3.2). Sets it where the session is our own.
 */
export async function supportsConnectionCheck(session: Session, pooled: boolean): Promise<boolean> {
  const set = "SET LOCAL client_connection_check_interval = 2000";
  try {
    await session.query(pooled ? `BEGIN; ${set}; ROLLBACK` : "SET client_connection_check_interval = 2000");
    return true;
  } catch (error) {
    if (pooled) await session.cleanup(() => session.query("ROLLBACK"));
    const sqlstate = sqlstateOf(error);
    if (sqlstate === undefined || sqlstate === SQLSTATE.queryCanceled) throw error;
    return false;
  }
}

/** The search_path that the history is written with. */
export const CATALOG_PATH_LOCALLY = "SET LOCAL search_path = pg_catalog";

/**
 * `SET LOCAL` of what the history needs, whatever the migration changed: catalog-only search_path, and the role that the
 * session began with. That is not NONE where the role's settings or the connection's options name one (manual, SET ROLE).
 */
export const OWN_ROLE_LOCALLY: string = `SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO DEFAULT; ${CATALOG_PATH_LOCALLY}`;

/**
 * Takes the name and the settings of a holder off a session that goes on without the lock: who holds it next must not
 * take this session for one that an earlier holder left behind.
 */
export const NO_HOLDER_ANY_MORE = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL";

/** A `search_path` as written in the configuration, for `SET`: a list of identifiers, each quoted. */
export function searchPathSql(path: string): string {
  return path
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) =>
      ident(part.startsWith('"') && part.endsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part),
    )
    .join(", ");
}
