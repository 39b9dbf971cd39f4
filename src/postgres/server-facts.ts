import { GodwitError } from "../core/error.ts";
import type { TextRow } from "./session.ts";

/** Oldest server version that is tested and supported. */
const OLDEST_SUPPORTED = 140000;

/** What a plan and a run need to know of the server, read in one query. */
export interface ServerFacts {
  /** As server_version_num: 180004. */
  readonly version: number;
  /** As people write it: `18.4`. */
  readonly versionText: string;
  readonly database: string;
  /** Of the database, as PostgreSQL calls it: `UTF8`, `LATIN1`. */
  readonly encoding: string;
  readonly user: string;
  readonly backendPid: number;
  /** pg_stat_activity.backend_start, ISO 8601 UTC with microseconds; null where the current role may not see it. */
  readonly backendStart: string | null;
  readonly inRecovery: boolean;
  readonly readOnly: boolean;
  /** Whether something between us and the server hands out its sessions (law 10). */
  readonly pooled: boolean;
  /** Port the server itself listens on; null for a Unix socket. */
  readonly port: number | null;
}

/** ISO 8601 in UTC with microseconds, of an SQL expression of type timestamptz. */
export function isoTimestamp(expression: string): string {
  return `pg_catalog.to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

export const SERVER_FACTS_SQL: string = `SELECT pg_catalog.current_setting('server_version_num') AS version,
  pg_catalog.current_setting('server_version') AS version_text,
  pg_catalog.current_database() AS database, pg_catalog.getdatabaseencoding() AS encoding, current_user AS user_name,
  pg_catalog.pg_backend_pid() AS pid,
  ${isoTimestamp("(SELECT a.backend_start FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a)")} AS backend_start,
  pg_catalog.pg_is_in_recovery() AS in_recovery,
  pg_catalog.current_setting('transaction_read_only') AS read_only,
  pg_catalog.inet_server_port() AS port`;

/**
 * The facts from the row of `SERVER_FACTS_SQL`; a proxy is found by comparing the start-up key's process id with
 * pg_backend_pid().
 * @throws GodwitError SERVER_UNSUPPORTED for a server older than PostgreSQL 14.
 */
export function serverFactsFrom(row: TextRow, startupPid: number): ServerFacts {
  const version = Number(row.version);
  const versionText = (row.version_text ?? "").split(" ")[0] ?? "";
  if (version < OLDEST_SUPPORTED) {
    throw new GodwitError(
      "SERVER_UNSUPPORTED",
      `the server is PostgreSQL ${versionText}; Godwit supports 14 and newer`,
      {
        hint: "upgrade the server, or use a Godwit release that names this version as supported",
      },
    );
  }
  const backendPid = Number(row.pid);
  return {
    version,
    versionText,
    database: row.database ?? "",
    encoding: row.encoding ?? "",
    user: row.user_name ?? "",
    backendPid,
    backendStart: row.backend_start ?? null,
    inRecovery: row.in_recovery === "t",
    readOnly: row.read_only === "on",
    pooled: startupPid !== backendPid,
    port: row.port === null || row.port === undefined ? null : Number(row.port),
  };
}
