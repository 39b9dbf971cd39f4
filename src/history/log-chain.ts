import { createHash } from "node:crypto";

export type LogLevel = "debug" | "info" | "warning" | "error" | "critical";

/** What is to be written to the log; the server adds time, place in the chain and hash. */
export interface LogEntry {
  readonly level: LogLevel;
  /** `migration.applied`, `lock.acquired` … */
  readonly event: string;
  readonly migrationId: string | null;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Adds `duration_us` to the details: from the begin of the transaction to this message, measured by the server. */
  readonly timed?: boolean;
}

/** An entry as it stands in the log, every part as text that the server wrote. */
export interface StoredEntry {
  readonly seq: number;
  readonly runId: string | null;
  readonly migrationId: string | null;
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  /** jsonb as PostgreSQL prints it: this text is hashed, so that any change of it shows. */
  readonly detailsText: string;
  /** ISO 8601 UTC with microseconds. */
  readonly at: string;
  readonly prevHash: string;
  readonly hash: string;
}

/** The end of a chain: what the next entry follows. */
export interface LogHead {
  readonly seq: number;
  readonly hash: string;
}

/** What the first entry of a chain follows; it names the chain, so that entries cannot be moved to another. */
export function genesis(stream: string, targetSchema: string): LogHead {
  return { seq: 0, hash: sha256(JSON.stringify(["godwit log 1", stream, targetSchema])) };
}

/**
 * Why `entry` does not follow `head`, or null if it does.
 * Any change of any column of an entry, a missing, added or moved entry breaks the chain there.
 */
export function breakBetween(head: LogHead, entry: StoredEntry): string | null {
  if (entry.seq !== head.seq + 1) return `entry ${head.seq + 1} is missing`;
  if (entry.prevHash !== head.hash) return `entry ${entry.seq} does not follow entry ${head.seq}`;
  if (hashOf(entry) !== entry.hash) return `entry ${entry.seq} was altered`;
  return null;
}

/**
 * The hash that `record_change` computes: SHA-256 of the text of
 * `jsonb_build_array(prev_hash, seq, run_id, migration_id, level, event, message, details, at)`.
 * JSON.stringify escapes strings as PostgreSQL's jsonb output does (manual 8.14: only what JSON demands).
 */
export function hashOf(entry: Omit<StoredEntry, "hash">): string {
  const parts = [
    JSON.stringify(entry.prevHash),
    String(entry.seq),
    JSON.stringify(entry.runId),
    JSON.stringify(entry.migrationId),
    JSON.stringify(entry.level),
    JSON.stringify(entry.event),
    JSON.stringify(entry.message),
    entry.detailsText,
    JSON.stringify(entry.at),
  ];
  return sha256(`[${parts.join(", ")}]`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
