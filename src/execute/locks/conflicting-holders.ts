import { maskedQuery } from "../../postgres/masked-query.ts";
import type { Session } from "../../postgres/session.ts";
import { literal } from "../../sql/quote.ts";
import { askCatalog } from "./ask-catalog.ts";
import { awaitedJson, type AwaitedLock } from "./held-locks.ts";

/** A session that holds a lock which ours would have to wait for. */
export interface ConflictingHolder {
  /** null: a prepared transaction, which belongs to no session. */
  readonly pid: number | null;
  readonly oid: number;
  /** Of `pg_stat_activity`; null where this role may not see it. */
  readonly state: string | null;
  /** Age of its transaction by the server's clock, in milliseconds; null where this role may not see it. */
  readonly ageMs: number | null;
  /** Who it is, in words: process, application, statement. */
  readonly who: string;
  /**
   * For an autovacuum that the server ends once somebody has waited for deadlock_timeout (manual 24.1.6): that time, in
   * milliseconds. null for anybody else, and for one that prevents wraparound, which does not give way.
   */
  readonly givesWayAfterMs: number | null;
}

/** What a worker is, and how old its transaction, is hidden from most roles; that it vacuums is not. */
const HOLDERS = `WITH locks AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks k WHERE k.granted)
SELECT l.pid, l.relation::oid AS oid, a.state,
  CASE WHEN l.pid IS NULL THEN 'prepared transaction ' || coalesce(pg_catalog.quote_literal(p.gid), '')
    ELSE 'backend ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
      || coalesce(': ' || ${maskedQuery("nullif(a.query, '')")}, '') END AS who,
  (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)::bigint AS age,
  CASE WHEN coalesce(a.backend_type = 'autovacuum worker', v.pid IS NOT NULL)
    AND a.query NOT LIKE '%(to prevent wraparound)%' THEN s.setting END AS yields
FROM pg_catalog.jsonb_to_recordset($WANTED::jsonb) AS w(oid oid, modes jsonb)
JOIN locks l ON l.locktype = 'relation' AND l.relation = w.oid AND w.modes ? l.mode
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
LEFT JOIN locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
  AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
LEFT JOIN (SELECT pid FROM pg_catalog.pg_stat_progress_vacuum
  UNION SELECT pid FROM pg_catalog.pg_stat_progress_analyze) v ON v.pid = l.pid
JOIN pg_catalog.pg_settings s ON s.name = 'deadlock_timeout'
ORDER BY age DESC NULLS LAST, l.pid`;

/**
 * Who holds a lock that conflicts with one of these (manual 13.3.1), oldest transaction first; this session is none of them. It
 * looks without asking for any lock, so nobody queues behind it. No transaction may be open.
 * @throws as `askCatalog`.
 */
export async function conflictingHolders(
  session: Session,
  awaited: readonly AwaitedLock[],
): Promise<readonly ConflictingHolder[]> {
  if (awaited.length === 0) return [];
  const question = HOLDERS.replace("$WANTED", () => literal(awaitedJson(awaited)));
  const rows = await askCatalog(session, question, null);
  return rows.map((row) => ({
    pid: row.pid === null ? null : Number(row.pid),
    oid: Number(row.oid),
    state: row.state ?? null,
    ageMs: row.age === null || row.age === undefined ? null : Number(row.age),
    who: row.who!,
    givesWayAfterMs: row.yields === null || row.yields === undefined ? null : Number(row.yields),
  }));
}
