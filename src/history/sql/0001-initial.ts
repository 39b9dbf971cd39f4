/**
 * Version 1 of the history. `schema` is quoted already.
 * Texts and arrays instead of enums, checks and foreign keys: an older binary must still be able to read what a newer one
 * wrote, and each check would be read and planned anew for every row.
 */
export function initial(schema: string): string {
  return `
CREATE TABLE ${schema}.meta (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  version integer NOT NULL,
  min_reader integer NOT NULL,
  min_writer integer NOT NULL,
  upgraded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  tool_version text NOT NULL
);
COMMENT ON TABLE ${schema}.meta IS 'Version of this history, and the oldest versions of Godwit that may read and write it.';

CREATE TABLE ${schema}.runs (
  run_id uuid PRIMARY KEY,
  command text NOT NULL,
  os_user text,
  db_user text NOT NULL,
  host text,
  git_sha text,
  image text,
  tool_version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  outcome text CHECK (outcome IN ('completed', 'failed', 'interrupted'))
);
COMMENT ON TABLE ${schema}.runs IS 'One row for each execution of Godwit that changed this database.';

CREATE TABLE ${schema}.migration_files (
  checksum text COLLATE "C" PRIMARY KEY,
  up_sql text NOT NULL,
  down_sql text
);
COMMENT ON TABLE ${schema}.migration_files IS 'The text of every applied migration, once for each distinct content; also of some that were to be applied with them.';

CREATE TABLE ${schema}.migrations (
  stream text NOT NULL,
  target_schema text NOT NULL,
  target_schema_oid oid,
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  format text NOT NULL,
  description text NOT NULL,
  status text NOT NULL,
  checksum text NOT NULL,
  down_checksum text,
  statement_hashes text[] NOT NULL,
  requires text[] NOT NULL,
  irreversible text,
  applied_seq bigint,
  applied_at timestamptz,
  applied_by text,
  execution_ms bigint,
  run_id uuid,
  token bigint,
  tool_version text NOT NULL,
  error jsonb,
  PRIMARY KEY (stream, target_schema, id, kind)
);
COMMENT ON TABLE ${schema}.migrations IS 'State of every migration known here. What is pending is what is not completed or baseline.';

CREATE TABLE ${schema}.migration_steps (
  stream text NOT NULL,
  target_schema text NOT NULL,
  migration_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  direction text NOT NULL,
  ordinal integer NOT NULL,
  statement_hash text NOT NULL,
  state text NOT NULL,
  backend_pid integer NOT NULL,
  backend_start timestamptz,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  PRIMARY KEY (stream, target_schema, migration_id, kind, direction, ordinal)
);
COMMENT ON TABLE ${schema}.migration_steps IS 'Ledger of the steps of migrations that cannot commit as a whole: the intent before, the outcome after.';

CREATE TABLE ${schema}.migration_log (
  stream text NOT NULL,
  target_schema text NOT NULL,
  seq bigint NOT NULL,
  run_id uuid,
  migration_id text COLLATE "C",
  level text NOT NULL,
  event text NOT NULL,
  message text NOT NULL,
  details jsonb NOT NULL,
  at timestamptz NOT NULL,
  prev_hash text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (stream, target_schema, seq)
);
COMMENT ON TABLE ${schema}.migration_log IS 'Append-only; every entry carries the hash of the one before. godwit verify proves it.';

CREATE TABLE ${schema}.migration_locks (
  key text PRIMARY KEY,
  token bigint NOT NULL,
  owner uuid NOT NULL,
  backend_pid integer NOT NULL,
  backend_start timestamptz,
  host text,
  acquired_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  renewed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  expires_at timestamptz,
  log_seq bigint NOT NULL DEFAULT 0,
  log_hash text NOT NULL,
  log_prev_hash text
);
COMMENT ON TABLE ${schema}.migration_locks IS 'Fencing tokens: only the newest owner of a key may write history. log_seq and log_hash are the end of its log; expires_at is when the lock was given back.';
${functions(schema)}`;
}

/**
 * The writes of a run as one function: its plans stay cached in the session, and the end of the log, the fence, the entry
 * and the state of the migration are one act on the server. It takes one value of one type, since a call with thirty
 * literals takes the server longer to understand than to run. GW001 is the SQLSTATE of a fence that does not hold.
 */
function functions(schema: string): string {
  return `
CREATE TYPE ${schema}.history_change AS (
  lock_key text,
  token bigint,
  run_id uuid,
  stream text,
  target_schema text,
  level text,
  event text,
  migration_id text,
  message text,
  details jsonb,
  timed boolean,
  id text,
  kind text,
  format text,
  description text,
  status text,
  checksum text,
  down_checksum text,
  statement_hashes text[],
  requires text[],
  irreversible text,
  applied_seq bigint,
  execution_ms bigint,
  tool_version text,
  error jsonb,
  up_sql text,
  down_sql text
);
COMMENT ON TYPE ${schema}.history_change IS 'One act of writing history: an entry of the log and, unless id is null, the state of a migration.';

CREATE FUNCTION ${schema}.record_change(change ${schema}.history_change) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  entry_at timestamptz := pg_catalog.clock_timestamp();
  entry_details jsonb := change.details;
  execution_ms bigint := change.execution_ms;
  duration_us bigint;
  new_seq bigint;
  previous text;
  entry_hash text;
  known text;
BEGIN
  IF change.timed THEN
    duration_us := pg_catalog.round(EXTRACT(epoch FROM entry_at - pg_catalog.transaction_timestamp()) * 1000000);
    entry_details := entry_details || pg_catalog.jsonb_build_object('duration_us', duration_us);
    execution_ms := (duration_us + 500) / 1000;
  END IF;
  UPDATE ${schema}.migration_locks l SET log_seq = l.log_seq + 1, log_prev_hash = l.log_hash, renewed_at = entry_at,
      log_hash = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        l.log_hash, l.log_seq + 1, change.run_id, change.migration_id, change.level, change.event, change.message, entry_details,
        pg_catalog.to_char(entry_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'UTF8')), 'hex')
    WHERE l.key = change.lock_key AND l.token = change.token AND l.owner = change.run_id
    RETURNING l.log_seq, l.log_prev_hash, l.log_hash INTO new_seq, previous, entry_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the lock % is not held with token %', change.lock_key, change.token USING ERRCODE = 'GW001';
  END IF;
  INSERT INTO ${schema}.migration_log
    (stream, target_schema, seq, run_id, migration_id, level, event, message, details, at, prev_hash, hash)
    VALUES (change.stream, change.target_schema, new_seq, change.run_id, change.migration_id, change.level, change.event,
      change.message, entry_details, entry_at, previous, entry_hash);
  IF change.id IS NOT NULL THEN
    IF change.up_sql IS NOT NULL THEN
      INSERT INTO ${schema}.migration_files (checksum, up_sql, down_sql) VALUES (change.checksum, change.up_sql, change.down_sql)
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO ${schema}.migrations AS m (stream, target_schema, id, kind, format, description, status, checksum, down_checksum,
        statement_hashes, requires, irreversible, applied_seq, applied_at, applied_by, execution_ms, run_id, token, tool_version, error)
      VALUES (change.stream, change.target_schema, change.id, change.kind, change.format, change.description, change.status,
        change.checksum, change.down_checksum, change.statement_hashes, change.requires, change.irreversible, change.applied_seq,
        CASE WHEN change.applied_seq IS NOT NULL THEN entry_at END, CASE WHEN change.applied_seq IS NOT NULL THEN SESSION_USER END,
        execution_ms, change.run_id, change.token, change.tool_version, change.error)
      ON CONFLICT (stream, target_schema, id, kind) DO UPDATE SET
        (format, description, status, checksum, down_checksum, statement_hashes, requires, irreversible, applied_seq, applied_at,
          applied_by, execution_ms, run_id, token, tool_version, error)
        = (EXCLUDED.format, EXCLUDED.description, EXCLUDED.status, EXCLUDED.checksum, EXCLUDED.down_checksum,
          EXCLUDED.statement_hashes, EXCLUDED.requires, EXCLUDED.irreversible, EXCLUDED.applied_seq, EXCLUDED.applied_at,
          EXCLUDED.applied_by, EXCLUDED.execution_ms, EXCLUDED.run_id, EXCLUDED.token, EXCLUDED.tool_version, EXCLUDED.error);
  END IF;
  -- Undone with the transaction: whoever finds this number in the session later knows that it was committed.
  known := pg_catalog.set_config('godwit.log_seq', new_seq::text, false);
END
$function$;
COMMENT ON FUNCTION ${schema}.record_change IS 'Writes history under a fence: GW001 unless token and run hold the lock.';
`;
}
