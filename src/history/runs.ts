import { ident, literal } from "../sql/quote.ts";

/** Who runs what, from where: recorded once per target and run. */
export interface RunRecord {
  readonly runId: string;
  readonly command: string;
  readonly osUser: string | null;
  readonly host: string | null;
  readonly gitSha: string | null;
  readonly image: string | null;
  readonly toolVersion: string;
}

/** Statement that records the start of a run; harmless if several targets of one database do it. */
export function runStartedSql(schema: string, run: RunRecord): string {
  const values = [run.runId, run.command, run.osUser, run.host, run.gitSha, run.image, run.toolVersion].map(
    (value) => literal(value),
  );
  return (
    `INSERT INTO ${ident(schema)}.runs (run_id, command, os_user, host, git_sha, image, tool_version, db_user) ` +
    `VALUES (${values.join(", ")}, SESSION_USER) ON CONFLICT (run_id) DO NOTHING`
  );
}

/** Statement that records how a run ended; a failure on one target is not overwritten by a success on another. */
export function runFinishedSql(
  schema: string,
  runId: string,
  outcome: "completed" | "failed" | "interrupted",
): string {
  return (
    `UPDATE ${ident(schema)}.runs SET finished_at = pg_catalog.clock_timestamp(), outcome = ` +
    `CASE WHEN outcome IS NULL OR outcome = 'completed' THEN ${literal(outcome)} ELSE outcome END WHERE run_id = ${literal(runId)}`
  );
}
