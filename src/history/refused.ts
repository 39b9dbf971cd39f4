import { GodwitError } from "../core/error.ts";
import { isDatabaseError } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident } from "../sql/quote.ts";

/** What was to be done with a history when the server refused. */
export type HistoryAct = "read" | "write" | "create";

/**
 * Says what the server's refusal to let a history be read, written or created asks for: the statement that grants what is
 * missing, or the primary in place of a standby. Any other error comes back as it is.
 * @param schema of the history, unquoted.
 * @param role that was refused, unquoted.
 */
export function asRefused(error: unknown, act: HistoryAct, schema: string, role: string): unknown {
  if (!isDatabaseError(error)) return error;
  if (error.code === SQLSTATE.readOnlySqlTransaction) {
    return new GodwitError(
      "PERMISSION_DENIED",
      "the server accepts no writes: it is a standby or set to read-only",
      {
        sqlstate: error.code,
        hint: "connect to the primary: add target_session_attrs=read-write and all hosts to the connection string",
        cause: error,
      },
    );
  }
  if (error.code !== SQLSTATE.insufficientPrivilege) return error;
  return new GodwitError(
    "PERMISSION_DENIED",
    `the role "${role}" may not ${act} the history in the schema "${schema}"`,
    {
      sqlstate: error.code,
      detail: error.message,
      hint: HINTS[act](ident(schema), ident(role)),
      cause: error,
    },
  );
}

const HINTS: Readonly<Record<HistoryAct, (schema: string, role: string) => string>> = {
  read: (schema, role) =>
    `as its owner: GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role};`,
  write: (schema, role) =>
    `as its owner: GRANT USAGE ON SCHEMA ${schema} TO ${role}; ` +
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}; ` +
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role};`,
  create: (schema, role) =>
    `as the owner of the database: CREATE SCHEMA ${schema} AUTHORIZATION ${role};\n` +
    `or, if the schema is there: GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role};`,
};
