import { sqlstateOf } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";

/** Before the first run the history is not there, and a bystander may lack the right to read it: then undefined. */
export async function unlessNotThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!NOT_THERE.has(sqlstateOf(error))) throw error;
    return undefined;
  }
}

const NOT_THERE: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.invalidSchemaName,
  SQLSTATE.undefinedColumn,
  SQLSTATE.insufficientPrivilege,
]);
