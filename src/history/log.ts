import { isoTimestamp } from "../postgres/server-facts.ts";
import type { Session, TextRow } from "../postgres/session.ts";
import { ident } from "../sql/quote.ts";
import { breakBetween, genesis, type LogHead, type LogLevel, type StoredEntry } from "./log-chain.ts";
import { scopeCondition, type HistoryScope } from "./read.ts";

/** Entries read at once when a whole log is walked: memory stays flat however long it is. */
const PAGE = 2000;

/** The newest `limit` entries (0: all), oldest first. */
export async function readLog(
  session: Session,
  scope: HistoryScope,
  options: { readonly limit: number; readonly migrationId?: string | undefined },
): Promise<StoredEntry[]> {
  const values = options.migrationId === undefined ? undefined : [options.migrationId];
  const filter = values === undefined ? "" : " AND migration_id = $1";
  const limit = options.limit === 0 ? "" : ` LIMIT ${options.limit}`;
  const rows = await session.rows(`${entrySql(scope)}${filter} ORDER BY seq DESC${limit}`, values);
  return rows.map(entryFrom).reverse();
}

export interface ChainReport {
  readonly entries: number;
  /** Number of the first entry that breaks the chain; null: it holds. */
  readonly brokenAt: number | null;
  readonly reason: string | null;
}

/**
 * Walks the whole log and recomputes every hash; then compares the end with the one that the lock's row remembers, so that
 * cutting off the newest entries shows too. Reads only.
 */
export async function verifyLog(
  session: Session,
  scope: HistoryScope,
  lockKey: string,
): Promise<ChainReport> {
  let head = genesis(scope.stream, scope.targetSchema);
  let entries = 0;
  const end = await rememberedEnd(session, scope, lockKey);
  for (;;) {
    const rows = await session.rows(`${entrySql(scope)} AND seq > $1 ORDER BY seq LIMIT ${PAGE}`, [
      String(head.seq),
    ]);
    for (const entry of rows.map(entryFrom)) {
      const reason = breakBetween(head, entry);
      if (reason !== null) return { entries, brokenAt: head.seq + 1, reason };
      head = { seq: entry.seq, hash: entry.hash };
      entries += 1;
    }
    if (rows.length < PAGE) break;
  }
  // A run that goes on meanwhile makes the log longer than what was remembered, never shorter.
  if (end !== null && end.seq > head.seq) {
    return {
      entries,
      brokenAt: head.seq + 1,
      reason: `the log once reached entry ${end.seq}; its end is missing`,
    };
  }
  if (end === null && entries > 0)
    return {
      entries,
      brokenAt: entries,
      reason: "the lock's row, which remembers the end of the log, is missing",
    };
  return { entries, brokenAt: null, reason: null };
}

async function rememberedEnd(
  session: Session,
  scope: HistoryScope,
  lockKey: string,
): Promise<LogHead | null> {
  const [row] = await session.rows(
    `SELECT log_seq, log_hash FROM ${ident(scope.schema)}.migration_locks WHERE key = $1`,
    [lockKey],
  );
  return row === undefined ? null : { seq: Number(row.log_seq), hash: row.log_hash ?? "" };
}

function entrySql(scope: HistoryScope): string {
  return `SELECT seq, run_id, migration_id, level, event, message, details, ${isoTimestamp("at")} AS at, prev_hash, hash
    FROM ${ident(scope.schema)}.migration_log WHERE ${scopeCondition(scope)}`;
}

function entryFrom(row: TextRow): StoredEntry {
  return {
    seq: Number(row.seq),
    runId: row.run_id ?? null,
    migrationId: row.migration_id ?? null,
    level: (row.level ?? "info") as LogLevel,
    event: row.event ?? "",
    message: row.message ?? "",
    detailsText: row.details ?? "{}",
    at: row.at ?? "",
    prevHash: row.prev_hash ?? "",
    hash: row.hash ?? "",
  };
}
