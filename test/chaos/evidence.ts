import type { StoredEntry } from "../../src/history/log-chain.ts";
import { isoTimestamp } from "../../src/postgres/server-facts.ts";
import { effectsIn } from "./migrations.ts";
import type { Evidence } from "./model.ts";
import { SCOPE } from "./variant.ts";
import type { Query } from "./world.ts";

/** Reads everything that the model asks for, of a target at rest. */
export async function evidenceIn(query: Query): Promise<Evidence> {
  const entries = await query(
    `SELECT seq, run_id, migration_id, level, event, message, details::text AS details,
       ${isoTimestamp("at")} AS at, prev_hash, hash FROM godwit.migration_log ORDER BY seq`,
  );
  const migrations = await query(
    "SELECT id, kind, status, applied_seq, run_id, token FROM godwit.migrations",
  );
  const [steps] = await query("SELECT count(*)::int AS count FROM godwit.migration_steps");
  const [lock] = await query("SELECT token, owner, log_seq, log_hash FROM godwit.migration_locks");
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  const number = (value: unknown): number | null => (value === null ? null : Number(value));
  return {
    stream: SCOPE.stream,
    targetSchema: SCOPE.targetSchema,
    entries: entries.map((row) => ({
      seq: Number(row["seq"]),
      runId: text(row["run_id"]),
      migrationId: text(row["migration_id"]),
      level: String(row["level"]) as StoredEntry["level"],
      event: String(row["event"]),
      message: String(row["message"]),
      detailsText: String(row["details"]),
      at: String(row["at"]),
      prevHash: String(row["prev_hash"]),
      hash: String(row["hash"]),
    })),
    migrations: migrations.map((row) => ({
      id: String(row["id"]),
      kind: String(row["kind"]),
      status: String(row["status"]),
      appliedSeq: number(row["applied_seq"]),
      runId: text(row["run_id"]),
      token: number(row["token"]),
    })),
    openSteps: Number(steps!["count"]),
    lock: {
      token: Number(lock!["token"]),
      owner: String(lock!["owner"]),
      logSeq: Number(lock!["log_seq"]),
      logHash: String(lock!["log_hash"]),
    },
    effects: await effectsIn(query),
  };
}
