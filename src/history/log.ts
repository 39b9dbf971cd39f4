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

/** The ids of all migrations that the log tells of. */
export async function readLoggedIds(session: Session, scope: HistoryScope): Promise<string[]> {
  const rows = await session.rows(
    `SELECT DISTINCT migration_id FROM ${ident(scope.schema)}.migration_log
     WHERE ${scopeCondition(scope)} AND migration_id IS NOT NULL`,
  );
  return rows.map((row) => row.migration_id ?? "");
}

export interface ChainReport {
  readonly entries: number;
  /** Number of the first entry that breaks the chain; null: it holds. */
  readonly brokenAt: number | null;
  readonly reason: string | null;
}

/**
 * Walks the whole log and recomputes every hash, and compares it with the end that the lock's row remembers: cutting off the
 * newest entries shows, and so does putting others there whose hashes are right among themselves. Reads only, page by
 * page, so that no snapshot is held for long; a run that goes on meanwhile makes the log longer.
 */
export async function verifyLog(
  session: Session,
  scope: HistoryScope,
  lockKey: string,
): Promise<ChainReport> {
  const before = await rememberedEnd(session, scope, lockKey);
  let head = genesis(scope.stream, scope.targetSchema);
  const broken = (seq: number, reason: string): ChainReport => ({ entries: head.seq, brokenAt: seq, reason });
  for (;;) {
    const rows = await session.rows(`${entrySql(scope)} AND seq > $1 ORDER BY seq LIMIT ${PAGE}`, [
      String(head.seq),
    ]);
    for (const entry of rows.map(entryFrom)) {
      const reason = breakBetween(head, entry) ?? breakAtEnd(before, entry);
      if (reason !== null) return broken(head.seq + 1, reason);
      head = { seq: entry.seq, hash: entry.hash };
    }
    if (rows.length < PAGE) break;
  }
  if (before !== null && before.seq > head.seq) {
    return broken(head.seq + 1, `the log once reached entry ${before.seq}; its end is missing`);
  }
  if (await hasStrayEntries(session, scope)) return broken(1, "an entry stands before the first one");
  const after = await rememberedEnd(session, scope, lockKey);
  if (after === null) {
    if (head.seq === 0 && !(await hasMigrations(session, scope)))
      return { entries: 0, brokenAt: null, reason: null };
    return broken(Math.max(1, head.seq), "the lock's row, which remembers the end of the log, is missing");
  }
  if (after.seq < head.seq) {
    return broken(
      after.seq + 1,
      `the log ended with entry ${after.seq}; entry ${after.seq + 1} was added behind it`,
    );
  }
  return { entries: head.seq, brokenAt: null, reason: null };
}

/** Entries committed with the remembered end, so the entry of that number has that hash, whatever was added since. */
function breakAtEnd(end: LogHead | null, entry: StoredEntry): string | null {
  if (end === null || entry.seq !== end.seq || entry.hash === end.hash) return null;
  return `entry ${entry.seq} is not the one that the lock's row remembers as the end of the log`;
}

async function hasStrayEntries(session: Session, scope: HistoryScope): Promise<boolean> {
  const rows = await session.rows(
    `SELECT FROM ${ident(scope.schema)}.migration_log WHERE ${scopeCondition(scope)} AND seq < 1 LIMIT 1`,
  );
  return rows.length > 0;
}

/** Every migration in the history was written together with an entry. */
async function hasMigrations(session: Session, scope: HistoryScope): Promise<boolean> {
  const rows = await session.rows(
    `SELECT FROM ${ident(scope.schema)}.migrations WHERE ${scopeCondition(scope)} LIMIT 1`,
  );
  return rows.length > 0;
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
