/**
 * The fields of an ErrorResponse (PostgreSQL manual 54.8) as the driver hands them on.
 * Every one may be missing: an older server, a pooler or a broken connection leaves them out.
 */
export interface DatabaseError extends Error {
  readonly severity?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** 1-based character position in the statement's text. */
  readonly position?: string;
  readonly internalQuery?: string;
  readonly where?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

/** Whether the server itself reported this error, as against the driver or the network. */
export function isDatabaseError(error: unknown): error is DatabaseError & { readonly code: string } {
  return (
    error instanceof Error &&
    /^[0-9A-Z]{5}$/.test(String((error as DatabaseError).code)) &&
    "severity" in error
  );
}

/** The SQLSTATE of a caught error, if the server reported it. */
export function sqlstateOf(error: unknown): string | undefined {
  return isDatabaseError(error) ? error.code : undefined;
}
