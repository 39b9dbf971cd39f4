import { ident, literal } from "../sql/quote.ts";
import { sqlstateOf } from "./database-error.ts";
import type { Session } from "./session.ts";
import { SQLSTATE } from "./sqlstate.ts";

/** The settings that every work session keeps, between and after migrations (law 4). */
export interface WorkSettings {
  readonly applicationName: string;
  readonly idleInTransactionMs: number;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Whether the server's operating system can notice a client that went away while a statement runs. */
  readonly connectionCheck: boolean;
}

/**
 * Begins a transaction in a work session. Statements are sent behind it without waiting for its answer, and it may be
 * cancelled like any other: then they would run and commit one by one. Since a work session is read-only outside of
 * transactions that are begun like this, the server refuses them instead.
 */
export const BEGIN = "BEGIN READ WRITE";

/** The statements that establish the settings, as one string. */
export function workSettingsSql(settings: WorkSettings): string {
  const check = settings.connectionCheck ? "; SET client_connection_check_interval = 2000" : "";
  return (
    `SET application_name = ${literal(settings.applicationName)}` +
    `; SET idle_in_transaction_session_timeout = ${settings.idleInTransactionMs}` +
    `; SET lock_timeout = ${settings.lockTimeoutMs}; SET statement_timeout = ${settings.statementTimeoutMs}` +
    // Files are split by the grammar's default reading of strings; the server must read them the same way.
    `; SET standard_conforming_strings = on; SET default_transaction_read_only = on${check}`
  );
}

/**
 * Brings the session back to where it was before a migration, our settings included (law 9). In a transaction it holds from
 * its commit on, and is undone with it.
 * DISCARD ALL would do most of it but also drops advisory locks, ours among them (PostgreSQL manual, DISCARD).
 */
export function sessionResetSql(settings: WorkSettings): string {
  const { statementTimeoutMs } = settings;
  // RESET ALL may bring a limit of the role's own back, and dropping temporary tables can take long.
  const limit = statementTimeoutMs === 0 ? "" : `; SET statement_timeout = ${statementTimeoutMs}`;
  return (
    `RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; ${workSettingsSql({ ...settings, statementTimeoutMs: 0 })}; ` +
    // An open cursor would keep a temporary table from being dropped.
    `CLOSE ALL; DISCARD TEMP; DEALLOCATE ALL; UNLISTEN *${limit}`
  );
}

/**
 * Whether client_connection_check_interval can be set here: it needs support of the server's operating system
 * (PostgreSQL manual 19.3.2).
 */
export async function supportsConnectionCheck(session: Session): Promise<boolean> {
  try {
    await session.query("SET client_connection_check_interval = 2000");
    return true;
  } catch (error) {
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
