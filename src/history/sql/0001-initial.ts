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
  checksum text PRIMARY KEY,
  up_sql text NOT NULL,
  down_sql text
);
COMMENT ON TABLE ${schema}.migration_files IS 'The text of every applied migration, once for each distinct content.';

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
 * The writes of a run as functions: their plans stay cached in the session, and the end of the log, the fence and the entry
 * are one act on the server. GW001 is the SQLSTATE of a fence that does not hold.
 */
function functions(schema: string): string {
  return `
CREATE FUNCTION ${schema}.append_log(
  lock_key text, held_token bigint, held_owner uuid, of_stream text, of_target_schema text,
  entry_level text, entry_event text, entry_migration text, entry_message text, entry_details jsonb
) RETURNS bigint LANGUAGE plpgsql AS $function$
DECLARE
  new_seq bigint;
  previous text;
  entry_at timestamptz := pg_catalog.clock_timestamp();
  entry_hash text;
BEGIN
  UPDATE ${schema}.migration_locks l SET log_seq = l.log_seq + 1, log_prev_hash = l.log_hash, renewed_at = entry_at,
      log_hash = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        l.log_hash, l.log_seq + 1, held_owner, entry_migration, entry_level, entry_event, entry_message, entry_details,
        pg_catalog.to_char(entry_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'UTF8')), 'hex')
    WHERE l.key = lock_key AND l.token = held_token AND l.owner = held_owner
    RETURNING l.log_seq, l.log_prev_hash, l.log_hash INTO new_seq, previous, entry_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the lock % is not held with token %', lock_key, held_token USING ERRCODE = 'GW001';
  END IF;
  INSERT INTO ${schema}.migration_log
    (stream, target_schema, seq, run_id, migration_id, level, event, message, details, at, prev_hash, hash)
    VALUES (of_stream, of_target_schema, new_seq, held_owner, entry_migration, entry_level, entry_event,
      entry_message, entry_details, entry_at, previous, entry_hash);
  RETURN new_seq;
END
$function$;
COMMENT ON FUNCTION ${schema}.append_log IS 'Appends an entry to the log under a fence: GW001 unless token and owner hold the lock.';

CREATE FUNCTION ${schema}.put_migration(
  of_stream text, of_target_schema text, of_id text, of_kind text, new_format text, new_description text, new_status text,
  new_checksum text, new_down_checksum text, new_statement_hashes text[], new_requires text[], new_irreversible text,
  new_execution_ms bigint, new_run_id uuid, new_token bigint, new_tool_version text, new_error jsonb,
  new_applied_seq bigint, new_up_sql text, new_down_sql text
) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  new_applied_at timestamptz := CASE WHEN new_applied_seq IS NOT NULL THEN pg_catalog.clock_timestamp() END;
  new_applied_by text := CASE WHEN new_applied_seq IS NOT NULL THEN SESSION_USER END;
BEGIN
  IF new_up_sql IS NOT NULL THEN
    INSERT INTO ${schema}.migration_files (checksum, up_sql, down_sql) VALUES (new_checksum, new_up_sql, new_down_sql)
      ON CONFLICT DO NOTHING;
  END IF;
  INSERT INTO ${schema}.migrations AS m (stream, target_schema, id, kind, format, description, status, checksum, down_checksum,
      statement_hashes, requires, irreversible, applied_seq, applied_at, applied_by, execution_ms, run_id, token, tool_version, error)
    VALUES (of_stream, of_target_schema, of_id, of_kind, new_format, new_description, new_status, new_checksum, new_down_checksum,
      new_statement_hashes, new_requires, new_irreversible, new_applied_seq, new_applied_at, new_applied_by, new_execution_ms,
      new_run_id, new_token, new_tool_version, new_error)
    ON CONFLICT (stream, target_schema, id, kind) DO UPDATE SET
      (format, description, status, checksum, down_checksum, statement_hashes, requires, irreversible, applied_seq, applied_at,
        applied_by, execution_ms, run_id, token, tool_version, error)
      = (EXCLUDED.format, EXCLUDED.description, EXCLUDED.status, EXCLUDED.checksum, EXCLUDED.down_checksum,
        EXCLUDED.statement_hashes, EXCLUDED.requires, EXCLUDED.irreversible, EXCLUDED.applied_seq, EXCLUDED.applied_at,
        EXCLUDED.applied_by, EXCLUDED.execution_ms, EXCLUDED.run_id, EXCLUDED.token, EXCLUDED.tool_version, EXCLUDED.error);
END
$function$;
COMMENT ON FUNCTION ${schema}.put_migration IS 'Sets the state of one migration; called in one transaction with append_log, which checks the fence.';

CREATE FUNCTION ${schema}.assert_log_at(lock_key text, held_token bigint, held_owner uuid, expected_seq bigint)
RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
  PERFORM 1 FROM ${schema}.migration_locks l
    WHERE l.key = lock_key AND l.token = held_token AND l.owner = held_owner AND l.log_seq = expected_seq;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the transaction before did not commit' USING ERRCODE = 'GW002';
  END IF;
END
$function$;
COMMENT ON FUNCTION ${schema}.assert_log_at IS 'Refuses to go on behind a commit that did not happen: GW002 unless the log ends at the expected entry.';
`;
}
