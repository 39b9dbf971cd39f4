/**
 * Version 2: a lock may be held by a lease that its holder renews, and the ledger keeps every statement of a step. An
 * older binary that took the lock would not see a lease, so it may only read. `schema` is quoted already.
 */
export function leases(schema: string): string {
  return `
ALTER TABLE ${schema}.migration_locks
  ALTER COLUMN backend_pid DROP NOT NULL,
  ADD COLUMN provider text NOT NULL DEFAULT 'advisory',
  ADD COLUMN lease_ms bigint,
  ADD COLUMN database_oid oid,
  ADD COLUMN earlier_pid integer,
  ADD COLUMN earlier_start timestamptz;
COMMENT ON TABLE ${schema}.migration_locks IS 'Fencing tokens: only the newest owner of a key may write history. log_seq and log_hash are the end of its log. expires_at is when the lock was given back, or until when it is leased.';
COMMENT ON COLUMN ${schema}.migration_locks.backend_pid IS 'The session that works; null behind a pooler, where none is the holder''s own.';
COMMENT ON COLUMN ${schema}.migration_locks.lease_ms IS 'How long a lease lasts without being renewed; null: the lock lasts as long as its session.';
COMMENT ON COLUMN ${schema}.migration_locks.database_oid IS 'The database that a lease was given in: one that stands in a copy or a restored backup holds nothing.';
COMMENT ON COLUMN ${schema}.migration_locks.earlier_pid IS 'The session that an earlier holder worked in, until it is proven to be gone.';
ALTER TABLE ${schema}.migration_steps ADD COLUMN statement_hashes text[];
COMMENT ON COLUMN ${schema}.migration_steps.statement_hashes IS 'Of each statement of the step, in order; null: written by version 1.'`;
}
