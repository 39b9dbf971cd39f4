import { formatDuration } from "../core/duration.ts";
import { GodwitError } from "../core/error.ts";
import { acceptsNoWrites } from "../postgres/error-verdict.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";

/** Why a session that was had anew is of no use: the server is a standby, or set to read-only. */
export function takesNoWrites({ inRecovery }: ServerFacts): GodwitError {
  const what = inRecovery ? "it is in recovery (a standby)" : "it is set to read-only";
  return new GodwitError("PERMISSION_DENIED", `the server accepts no writes: ${what}`, {
    sqlstate: SQLSTATE.readOnlySqlTransaction,
    hint: "connect to the primary: add target_session_attrs=read-write and all hosts to the connection string",
  });
}

/**
 * The end of going on by oneself because the database did not come back.
 * @param first what ended the session. @param last what is the matter now; may be the same.
 */
export function gaveUp(
  first: GodwitError,
  last: GodwitError,
  how: { readonly elapsedMs: number; readonly again: string },
): GodwitError {
  const { elapsedMs, again } = how;
  const then = last === first ? "" : `; ${formatDuration(elapsedMs)} later: ${last.message}`;
  const elsewhere = acceptsNoWrites(last) && last.hint !== undefined ? `${last.hint}\n` : "";
  return new GodwitError(
    acceptsNoWrites(last) ? "DATABASE_UNREACHABLE" : last.code,
    `${first.message}${then}`,
    {
      ...(last.sqlstate === undefined ? {} : { sqlstate: last.sqlstate }),
      hint: `${elsewhere}once the database is back: ${again}; to bear with it for longer: ${again} --reconnect-wait 10min`,
      cause: last,
    },
  );
}

/** The end of going on by oneself because one migration meets the same again and again. */
export function tooOften(error: GodwitError, id: string, times: number, again: string): GodwitError {
  const lost = error.code === "CONNECTION_LOST";
  return new GodwitError(
    error.code,
    lost ? `${id}: ${error.message} (${times} times in a row)` : `${error.message} (${times} times in a row)`,
    {
      ...(error.location === undefined ? {} : { location: error.location }),
      ...(error.sqlstate === undefined ? {} : { sqlstate: error.sqlstate }),
      ...(error.detail === undefined ? {} : { detail: error.detail }),
      hint: lost
        ? `see in the server's log what becomes of the session while ${id} runs, then: ${again}`
        : (error.hint ?? `then: ${again}`),
      cause: error,
    },
  );
}
