import type { ErrorCode } from "../core/error-codes.ts";
import { isGodwitError, type GodwitError } from "../core/error.ts";
import { codeOf, isPassingSystemError } from "./connecting/connect-failure.ts";
import { isPassingSqlstate, isRetryableConnectError } from "./connecting/unreachable.ts";
import { isDatabaseError } from "./database-error.ts";
import { SQLSTATE } from "./sqlstate.ts";

/**
 * What is to be done about an error that ended work on a target: go on by itself in a new session, stop and tell, or have a person
 * decide.
 */
export type Verdict = "retry" | "stop" | "person";

/**
 * SQLSTATEs by which a server ends a session or refuses one, and which stay as they are however often it is tried again
 * (manual, appendix A). All others with which a session ended may pass: that it ended says nothing of what it did.
 */
const ENDS_FOR_GOOD: ReadonlySet<string> = new Set([
  // The database was dropped beneath the session.
  SQLSTATE.databaseDropped,
  // transaction_timeout (17 and newer) is a limit that the same transaction meets again.
  SQLSTATE.transactionTimeout,
  // A server that found its own data damaged ends with PANIC; trying harder does not mend it.
  SQLSTATE.dataCorrupted,
  SQLSTATE.indexCorrupted,
]);

/** What is not named here stops. */
const OURS: Readonly<Partial<Record<ErrorCode, (error: GodwitError) => Verdict>>> = {
  NEEDS_REPAIR: () => "person",
  LOCK_LOST: () => "retry",
  CONNECTION_LOST: ({ sqlstate }) =>
    sqlstate !== undefined && ENDS_FOR_GOOD.has(sqlstate) ? "stop" : "retry",
  DATABASE_UNREACHABLE: (error) => (isRetryableConnectError(error) ? "retry" : "stop"),
  PERMISSION_DENIED: (error) => (acceptsNoWrites(error) ? "retry" : "stop"),
};

/**
 * Classifies what ended work on a target. `retry` is what passes by itself: whoever goes on must take the lock and read the
 * history again, since the session and all that lived in it are gone.
 *
 * | error | verdict |
 * |---|---|
 * | CONNECTION_LOST: reset by the network, 57P01 admin_shutdown, 57P02 crash_shutdown, 57P05 idle_session_timeout, 25P03 idle in transaction, 08xxx … | retry |
 * | CONNECTION_LOST with 57P04 database_dropped, 25P04 transaction_timeout, XX001, XX002 | stop |
 * | DATABASE_UNREACHABLE: refused, reset, 57P03 cannot_connect_now (starting up, in recovery, shutting down), 53300 too_many_connections, no server of the wanted kind | retry |
 * | DATABASE_UNREACHABLE: 28xxx authentication, 3D000 no such database, TLS | stop |
 * | 25006 read_only_sql_transaction for the history: a standby, or a failed-over primary | retry |
 * | 25006 for a statement of a migration: its transaction was begun READ WRITE, so it is the file's own doing | stop |
 * | LOCK_LOST: another run took over, and the history says what it did | retry |
 * | 40001 serialization_failure of Godwit's own statements; those of a migration are tried again in its transaction's place | retry |
 * | NEEDS_REPAIR | person |
 * | everything else, 53100 disk_full, 53200 out_of_memory, 42501 and the migration's own errors among it | stop |
 */
export function verdictOf(error: unknown): Verdict {
  if (!isGodwitError(error)) {
    if (isDatabaseError(error)) return verdictOfServer(error.code);
    return isPassingSystemError(codeOf(error)) ? "retry" : "stop";
  }
  return OURS[error.code]?.(error) ?? "stop";
}

/** Whether the history could not be written because the server takes no writes. */
export function acceptsNoWrites(error: unknown): boolean {
  return isGodwitError(error, "PERMISSION_DENIED") && error.sqlstate === SQLSTATE.readOnlySqlTransaction;
}

/** Of an error that Godwit's own statements met: the session is a new one to begin with, so that 25006 tells of the server. */
function verdictOfServer(sqlstate: string): Verdict {
  if (ENDS_FOR_GOOD.has(sqlstate)) return "stop";
  const passes =
    sqlstate === SQLSTATE.readOnlySqlTransaction ||
    sqlstate === SQLSTATE.serializationFailure ||
    ENDS_SESSION_IN_PASSING.has(sqlstate) ||
    isPassingSqlstate(sqlstate);
  return passes ? "retry" : "stop";
}

const ENDS_SESSION_IN_PASSING: ReadonlySet<string> = new Set([
  SQLSTATE.idleSessionTimeout,
  SQLSTATE.idleInTransactionTimeout,
]);
