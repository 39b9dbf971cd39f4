import { conflictsOf } from "../../sql/locks/conflicts.ts";
import type { LockMode } from "../../sql/locks/types.ts";

/** A lock that is going to be asked for. */
export interface AwaitedLock {
  readonly oid: number;
  readonly mode: LockMode;
}

/** What `heldSql` compares with: these locks with the modes that each conflicts with (manual 13.3.1), as JSON. */
export function awaitedJson(awaited: readonly AwaitedLock[]): string {
  return JSON.stringify(awaited.map(({ oid, mode }) => ({ oid, modes: conflictsOf(mode).map(inPgLocks) })));
}

/**
 * A condition on a row of `pg_locks`: it is a lock that is held, on a relation of this database, and conflicts with a wanted one.
 * @param alias of the row.
 * @param json an expression that yields what `awaitedJson` made.
 */
export function heldSql(alias: string, json: string): string {
  return (
    `${alias}.granted AND ${alias}.locktype = 'relation' ` +
    `AND ${alias}.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) ` +
    `AND EXISTS (SELECT FROM pg_catalog.jsonb_to_recordset(${json}::jsonb) AS w(oid oid, modes jsonb) ` +
    `WHERE w.oid = ${alias}.relation AND w.modes ? ${alias}.mode)`
  );
}

/** `ACCESS SHARE` as pg_locks writes it: `AccessShareLock`. */
export function inPgLocks(mode: LockMode): string {
  const words = mode.split(" ").map((word) => word[0]! + word.slice(1).toLowerCase());
  return `${words.join("")}Lock`;
}
