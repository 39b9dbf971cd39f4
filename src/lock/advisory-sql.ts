import { literal } from "../sql/quote.ts";
import { advisoryKey, type LockScope } from "./key.ts";

/** SQL condition that selects a scope's advisory lock of the current database in pg_locks (manual 54.12). */
export function isAdvisoryLock(alias: string, scope: LockScope): string {
  return (
    `${alias}.locktype = 'advisory' AND ${alias}.objsubid = 1 AND ${alias}.database = ` +
    "(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) AND " +
    `((${alias}.classid::bigint << 32) | ${alias}.objid::bigint) = ${literal(advisoryKey(scope))}::bigint`
  );
}
