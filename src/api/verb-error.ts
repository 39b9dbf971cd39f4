import { GodwitError } from "../core/error.ts";
import { isDatabaseError } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";

/**
 * What a verb throws for an error of the server that came from a statement of Godwit's own, not of a migration:
 * rights that are missing, a server that takes no writes, a full disk.
 */
export function asVerbError(error: unknown): unknown {
  if (!isDatabaseError(error)) return error;
  const options = {
    sqlstate: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    cause: error,
  };
  if (error.code === SQLSTATE.insufficientPrivilege) {
    return new GodwitError(
      "PERMISSION_DENIED",
      `the database role may not do what is needed: ${error.message}`,
      {
        ...options,
        hint: "connect as the role that owns the history, or grant what is missing: see docs/errors/PERMISSION_DENIED.md",
      },
    );
  }
  if (error.code === SQLSTATE.readOnlySqlTransaction) {
    return new GodwitError(
      "PERMISSION_DENIED",
      "the server accepts no writes: it is a standby or set to read-only",
      {
        ...options,
        hint: "connect to the primary: add target_session_attrs=read-write and all hosts to the connection string",
      },
    );
  }
  return new GodwitError(
    "MIGRATION_FAILED",
    `the server refused a statement of Godwit's own: ${error.message}`,
    {
      ...options,
      hint:
        error.hint ?? "what was committed is in the history; mend the cause, then run the same command again",
    },
  );
}
