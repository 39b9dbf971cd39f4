import { GodwitError, isGodwitError, type Location } from "../../core/error.ts";
import type { PlannedMigration } from "../../plan/types.ts";
import type { Session } from "../../postgres/session.ts";
import { isDatabaseError } from "../../postgres/database-error.ts";
import { isRetryableInTransaction, SQLSTATE } from "../../postgres/sqlstate.ts";
import { excerpt } from "../../sql/excerpt.ts";
import { ident } from "../../sql/quote.ts";
import type { Statement } from "../../sql/types.ts";
import { NotComparable } from "./creation.ts";

/** That an object is there and differs. @param lines the differences, for people. */
export function differs(
  planned: PlannedMigration,
  statement: Statement,
  name: string,
  lines: readonly string[],
): GodwitError {
  return new GodwitError(
    "OBJECT_DIFFERS",
    `${planned.id}: ${name} was there already and differs from what the file makes`,
    {
      location: placeOf(planned, statement),
      detail: lines.join("\n"),
      hint: `change the file or the object, so that they are equal, then: godwit up\n${orDone(planned)}`,
    },
  );
}

/** That an object is there and nothing can tell whether it is what the statement makes. */
export function notComparable(
  planned: PlannedMigration,
  statement: Statement,
  name: string,
  reason: string,
  cause?: unknown,
): GodwitError {
  return new GodwitError(
    "OBJECT_NOT_COMPARABLE",
    `${planned.id}: ${name} was there already and cannot be compared with what the file makes`,
    {
      location: placeOf(planned, statement),
      detail: reason,
      hint: `compare it by hand, and take the statement out of the file if it is equal, then: godwit up\n${orDone(planned)}`,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** That some of what a statement adds is there and the rest is not, so that the server would refuse all of it. */
export function halfThere(planned: PlannedMigration, statement: Statement, name: string): GodwitError {
  return new GodwitError(
    "OBJECT_DIFFERS",
    `${planned.id}: ${name} was there already and equals, but the rest of what the statement makes is not there`,
    {
      location: placeOf(planned, statement),
      hint: "write one ALTER TABLE for each column and constraint, then: godwit up",
    },
  );
}

/**
 * What a comparison that failed means. Waiting for a lock may be tried again, and a lost connection or an interruption is
 * told as such; anything else that the server refuses in the scratch means that it cannot be compared.
 */
export async function comparisonError(
  error: unknown,
  session: Session,
  planned: PlannedMigration,
  statement: Statement,
  name: string,
): Promise<unknown> {
  if (error instanceof NotComparable) return notComparable(planned, statement, name, error.message);
  if (isGodwitError(error) || !isDatabaseError(error)) return error;
  if (isRetryableInTransaction(error.code) || error.code === SQLSTATE.queryCanceled) return error;
  if (error.code === SQLSTATE.insufficientPrivilege) {
    return new GodwitError(
      "PERMISSION_DENIED",
      `${planned.id}: ${name} was there already, and comparing it failed: ${error.message}`,
      {
        location: placeOf(planned, statement),
        sqlstate: error.code,
        hint: `to compare, the role makes a schema, which is rolled back; as the owner of the database: ${await grantSql(session)}\nthen: godwit up`,
        cause: error,
      },
    );
  }
  return notComparable(planned, statement, name, `making it a second time failed: ${error.message}`, error);
}

async function grantSql(session: Session): Promise<string> {
  const [row] = await session.rows(
    "SELECT pg_catalog.current_database() AS database, current_user::pg_catalog.text AS role",
  );
  return `GRANT CREATE ON DATABASE ${ident(row?.database ?? "")} TO ${ident(row?.role ?? "")}`;
}

function orDone({ id }: PlannedMigration): string {
  return `or, if all of the file is done: godwit repair mark-applied ${id} --reason "…"`;
}

function placeOf(planned: PlannedMigration, { sql, line, column }: Statement): Location {
  return {
    file: planned.path ?? planned.id,
    line,
    column,
    excerpt: excerpt(sql, 1, 1, { firstLine: line }),
  };
}
