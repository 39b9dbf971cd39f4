/** The oid of the database that a session is in. */
export const THIS_DATABASE =
  "(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

/** Whether the session that a row of `migration_locks` names is gone; false where that cannot be told. */
export function sessionGoneSql(row: string): string {
  return (
    `(${row}.backend_pid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(${row}.backend_pid) a ` +
    // Who may not see when a session began sees only that there is one of that number.
    `WHERE a.backend_start IS NULL OR ${row}.backend_start IS NULL OR a.backend_start = ${row}.backend_start))`
  );
}

/**
 * Whether a lease on a row of `migration_locks` lasts. It does not where it was given in another database, of which this is a copy or
 * a restored backup, or where it would last longer than any lease: then the clock was set back.
 */
export function leasedSql(row: string): string {
  const now = "pg_catalog.clock_timestamp()";
  return (
    `(${row}.lease_ms IS NOT NULL AND ${row}.expires_at > ${now} AND ${row}.expires_at <= ${now} + ${row}.lease_ms * interval '1 ms' ` +
    `AND ${row}.database_oid = ${THIS_DATABASE} AND NOT ${sessionGoneSql(row)})`
  );
}
