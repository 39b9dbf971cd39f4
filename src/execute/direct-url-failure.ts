import { GodwitError } from "../core/error.ts";

const failures = new WeakSet<object>();

/** The server could be reached through the pooler, and not past it by the address of `direct_url`: the same error, with that name. */
export function directUrlFailure(error: GodwitError): GodwitError {
  const failure = new GodwitError("DATABASE_UNREACHABLE", `direct_url: ${error.message}`, {
    ...(error.sqlstate === undefined ? {} : { sqlstate: error.sqlstate }),
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
  failures.add(failure);
  return failure;
}

/** Whether an error is one of `directUrlFailure`. */
export function isDirectUrlFailure(error: unknown): boolean {
  return typeof error === "object" && error !== null && failures.has(error);
}

/** `direct_url` and `database` name different databases. */
export function leadsElsewhere(): GodwitError {
  return new GodwitError(
    "CONFIG_INVALID",
    "direct_url reaches another database than database: the lock taken there is not seen here",
    {
      hint: "let both name the same database of the same server: direct_url past the pooler, database through it",
    },
  );
}
