import type { SecondSession, WatchedBackend } from "./second-session.ts";

/** A session that is in the way of the work session. */
export interface Blocker {
  /** 0 for a prepared transaction. */
  readonly pid: number;
  /** When its session began, as a number of its own: a pid may be used again. Empty where this role may not see it. */
  readonly started: string;
  readonly application: string;
  readonly query: string;
  readonly user: string | null;
  /** `active`, `idle in transaction` …; null where this role may not see it. */
  readonly state: string | null;
  /** `client backend`, `walsender` …; null where this role may not see it. */
  readonly kind: string | null;
  readonly superuser: boolean;
  /** Whether it has the lock that is waited for, or one that conflicts with it; else it only stands in the same queue. */
  readonly holds: boolean;
  /** When its transaction began, as a number of its own; empty where it has none, or this role may not see it. */
  readonly transaction: string;
  readonly transactionMs: number;
  /** How long it has done nothing, if it does nothing now. */
  readonly idleMs: number;
}

/** That the work session waits, for how long and for whom. */
export interface WaitSight {
  readonly waitedMs: number;
  readonly blockers: readonly Blocker[];
}

/** Which granted modes each requested one conflicts with (PostgreSQL manual 13.3.1, table 13.2). */
const CONFLICTS: Readonly<Record<string, readonly string[]>> = {
  AccessShare: ["AccessExclusive"],
  RowShare: ["Exclusive", "AccessExclusive"],
  RowExclusive: ["Share", "ShareRowExclusive", "Exclusive", "AccessExclusive"],
  ShareUpdateExclusive: [
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
    "Exclusive",
    "AccessExclusive",
  ],
  Share: ["RowExclusive", "ShareUpdateExclusive", "ShareRowExclusive", "Exclusive", "AccessExclusive"],
  ShareRowExclusive: [
    "RowExclusive",
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
    "Exclusive",
    "AccessExclusive",
  ],
  Exclusive: [
    "RowShare",
    "RowExclusive",
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
    "Exclusive",
    "AccessExclusive",
  ],
  AccessExclusive: [
    "AccessShare",
    "RowShare",
    "RowExclusive",
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
    "Exclusive",
    "AccessExclusive",
  ],
};

const CONFLICTS_SQL = Object.entries(CONFLICTS)
  .map(([mode, others]) => `('${mode}Lock', '{${others.map((other) => `${other}Lock`).join(",")}}'::text[])`)
  .join(", ");

const SAME_OBJECT = [
  "locktype",
  "database",
  "relation",
  "page",
  "tuple",
  "virtualxid",
  "transactionid",
  "classid",
  "objid",
  "objsubid",
];
const row = (alias: string): string => `(${SAME_OBJECT.map((column) => `${alias}.${column}`).join(", ")})`;

/** What the session $1 that began at $2 waits for and who is in its way: `pg_blocking_pids` names holders and those before it in the queue. */
const LOOK_SQL = `SELECT w.waited, b.pid, EXTRACT(epoch FROM a.backend_start)::text AS started, a.application_name,
  pg_catalog.left(a.query, 80) AS query, a.usename, a.state, a.backend_type AS kind, coalesce(r.rolsuper, false) AS superuser,
  EXISTS (SELECT FROM pg_catalog.pg_locks h WHERE h.granted AND h.pid = b.pid AND ${row("h")} IS NOT DISTINCT FROM ${row("w")}
    AND h.mode = ANY (w.conflicting)) AS holds,
  EXTRACT(epoch FROM a.xact_start)::text AS transaction,
  coalesce(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000, 0) AS transaction_ms,
  CASE WHEN a.state LIKE 'idle in transaction%' THEN EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change) * 1000 ELSE 0 END AS idle_ms
FROM (
  SELECT l.*, c.conflicting, coalesce(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.waitstart) * 1000, 0) AS waited
  FROM pg_catalog.pg_locks l JOIN (VALUES ${CONFLICTS_SQL}) c (mode, conflicting) USING (mode)
  WHERE l.pid = $1::integer AND NOT l.granted AND EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity us WHERE us.pid = $1::integer AND us.backend_start = $2::timestamptz)
) w
CROSS JOIN LATERAL (SELECT DISTINCT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::integer)) u (pid)) b
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid`;

/** @returns null where the session waits for nobody. @throws as `SecondSession.rows`. */
export async function lookWhoBlocks(
  second: SecondSession,
  { pid, start }: WatchedBackend,
): Promise<WaitSight | null> {
  const rows = await second.rows(LOOK_SQL, [String(pid), start ?? "-infinity"]);
  const [first] = rows;
  if (first === undefined) return null;
  const blockers = rows.map((one): Blocker => ({
    pid: Number(one.pid),
    started: one.started ?? "",
    application: one.application_name ?? "",
    query: one.query ?? "",
    user: one.usename ?? null,
    state: one.state ?? null,
    kind: one.kind ?? null,
    superuser: one.superuser === "t",
    holds: one.holds === "t",
    transaction: one.transaction ?? "",
    transactionMs: Number(one.transaction_ms),
    idleMs: Number(one.idle_ms),
  }));
  return { waitedMs: Number(first.waited), blockers };
}

/**
 * Acts on the session $1 that began at $2, in its transaction that began at $3, if it still blocks the session $4: all of that is looked up by the statement that acts,
 * since a pid may belong to another session by now.
 * @param act a session that does nothing has nothing to cancel.
 */
export function actSql(act: "cancel" | "terminate"): string {
  const also = act === "cancel" ? "AND a.state = 'active' " : "";
  return (
    `SELECT pg_catalog.pg_${act}_backend(a.pid) AS done FROM pg_catalog.pg_stat_activity a ` +
    `WHERE a.pid = $1::integer AND EXTRACT(epoch FROM a.backend_start)::text = $2 ` +
    `AND EXTRACT(epoch FROM a.xact_start)::text = $3 ${also}AND a.pid = ANY (pg_catalog.pg_blocking_pids($4::integer))`
  );
}
