import { GodwitError, isGodwitError } from "../core/error.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { maskSecrets } from "../core/mask-secrets.ts";
import { isDatabaseError, type DatabaseError } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { excerpt, serverPosition } from "../sql/excerpt.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import { whenFree } from "./when-free.ts";

/**
 * Makes of the server's error what a person can act on: the place in the file with a caret, SQLSTATE, detail, and the
 * next command. Errors of ours pass through.
 * @param statement the one that failed; null when the commit did.
 * @param blockers who was seen to hold the lock that it waited for.
 */
export function toMigrationError(
  error: unknown,
  planned: PlannedMigration,
  statement: Statement | null,
  blockers: string | null = null,
): GodwitError {
  if (isGodwitError(error)) return error;
  if (!isDatabaseError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return new GodwitError("MIGRATION_FAILED", `${planned.id}: ${message}`, { cause: error });
  }
  const what = statement === null ? "COMMIT" : statement.tag;
  const place = statement === null ? undefined : placeOf(error, planned, statement);
  return new GodwitError(codeOf(error), `${planned.id}: ${what} failed: ${error.message}`, {
    sqlstate: error.code,
    ...(place === undefined ? {} : { location: place }),
    ...detailOf(error, blockers),
    hint: hintFor(error, planned),
    cause: error,
  });
}

function codeOf(error: DatabaseError): ErrorCode {
  if (error.code === SQLSTATE.lockNotAvailable || error.code === SQLSTATE.deadlockDetected)
    return "OBJECT_LOCK_TIMEOUT";
  if (error.code === SQLSTATE.insufficientPrivilege) return "PERMISSION_DENIED";
  return "MIGRATION_FAILED";
}

function placeOf(
  error: DatabaseError,
  planned: PlannedMigration,
  statement: Statement,
): NonNullable<GodwitError["location"]> {
  const position = error.position === undefined ? 1 : Number(error.position);
  const { line, column } = serverPosition(statement, position);
  const shown = excerpt(
    statement.sql,
    line - statement.line + 1,
    line === statement.line ? column - statement.column + 1 : column,
    {
      firstLine: statement.line,
    },
  );
  return { file: planned.path ?? `${planned.id} (as stored in the history)`, line, column, excerpt: shown };
}

function detailOf(
  error: DatabaseError & { readonly code: string },
  blockers: string | null,
): { detail?: string } {
  const lines = [
    error.detail,
    blockers === null || codeOf(error) !== "OBJECT_LOCK_TIMEOUT"
      ? undefined
      : `the lock is held by ${blockers}`,
    error.internalQuery === undefined ? undefined : `query: ${error.internalQuery}`,
    error.where === undefined ? undefined : `in ${error.where}`,
    error.constraint === undefined ? undefined : `constraint: ${error.constraint}`,
  ].filter((line) => line !== undefined && line !== "");
  // What a DO block or a function ran stands in it, with all that it said.
  return lines.length === 0 ? {} : { detail: maskSecrets(lines.join("\n")) };
}

function hintFor(error: DatabaseError, planned: PlannedMigration): string {
  const again = planned.direction === "up" ? "godwit up" : "godwit down";
  switch (error.code ?? "") {
    case SQLSTATE.invalidTransactionTermination:
      return `it commits by itself: put \`-- godwit:transaction off\` at the top of the file, then: ${again}`;
    case SQLSTATE.insufficientPrivilege:
      return `grant the role what it lacks, or connect as the owner, then: ${again}`;
    case SQLSTATE.diskFull:
      return `make room on the server's disk (the transaction gave its own back), then: ${again}`;
    case SQLSTATE.queryCanceled:
      return `raise the limit (--statement-timeout, or \`-- godwit:statement_timeout 10min\` in the file), then: ${again}`;
    case SQLSTATE.lockNotAvailable:
    case SQLSTATE.deadlockDetected:
      return whenFree("the other session", again);
    default:
      return error.hint === undefined
        ? `mend the file, then: ${again}`
        : `${error.hint}\nmend the file, then: ${again}`;
  }
}
