import { maskedQuery } from "../postgres/masked-query.ts";
import type { TextRow } from "../postgres/session.ts";
import { heldSql } from "./locks/held-locks.ts";
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

/** Of `a` in pg_stat_activity, with its role `r`; see `blockerOf`. */
const WHO = `EXTRACT(epoch FROM a.backend_start)::text AS started, a.application_name,
  ${maskedQuery("a.query")} AS query, a.usename, a.state, a.backend_type AS kind, coalesce(r.rolsuper, false) AS superuser,
  EXTRACT(epoch FROM a.xact_start)::text AS transaction,
  coalesce(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000, 0) AS transaction_ms,
  CASE WHEN a.state LIKE 'idle in transaction%' THEN EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change) * 1000 ELSE 0 END AS idle_ms`;

const WHO_FROM = `LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid`;

/** Whether this is the server of the session $1 that began at $2. */
const SAME_SERVER = `EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity us WHERE us.pid = $1::integer AND us.backend_start = $2::timestamptz)`;

/** What the session $1 that began at $2 waits for and who is in its way: `pg_blocking_pids` names holders and those before it in the queue. */
const LOOK_SQL = `SELECT w.waited, b.pid, ${WHO},
  EXISTS (SELECT FROM pg_catalog.pg_locks h WHERE h.granted AND h.pid = b.pid AND ${row("h")} IS NOT DISTINCT FROM ${row("w")}
    AND h.mode = ANY (w.conflicting)) AS holds
FROM (
  SELECT l.*, c.conflicting, coalesce(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.waitstart) * 1000, 0) AS waited
  FROM pg_catalog.pg_locks l JOIN (VALUES ${CONFLICTS_SQL}) c (mode, conflicting) USING (mode)
  WHERE l.pid = $1::integer AND NOT l.granted AND ${SAME_SERVER}
) w
CROSS JOIN LATERAL (SELECT DISTINCT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::integer)) u (pid)) b
${WHO_FROM}`;

/** Those of the processes $4 that hold one of the locks $3; the session $1 that began at $2 is not in the queue. */
const HOLDERS_SQL = `SELECT b.pid, ${WHO}, true AS holds
FROM (SELECT DISTINCT coalesce(k.pid, 0) AS pid FROM pg_catalog.pg_locks k
  WHERE ${heldSql("k", "$3")} AND coalesce(k.pid, 0) = ANY ($4::integer[]) AND ${SAME_SERVER}) b
${WHO_FROM}`;

/** @returns null where the session waits for nobody. @throws as `SecondSession.rows`. */
export async function lookWhoBlocks(
  second: SecondSession,
  { pid, start }: WatchedBackend,
): Promise<WaitSight | null> {
  const rows = await second.rows(LOOK_SQL, [String(pid), start ?? "-infinity"]);
  const [first] = rows;
  if (first === undefined) return null;
  return { waitedMs: Number(first.waited), blockers: rows.map(blockerOf) };
}

/** What keeps the work session out of a queue. */
export interface HeldLocks {
  /** What is wanted, and what conflicts with it; see `heldSql`. */
  readonly locks: string;
  /** Who was seen to hold it; 0 for a prepared transaction. */
  readonly pids: readonly number[];
}

/** Of those the ones that still do. @throws as `SecondSession.rows`. */
export async function lookWhoHolds(
  second: SecondSession,
  { pid, start }: WatchedBackend,
  { locks, pids }: HeldLocks,
): Promise<readonly Blocker[]> {
  const values = [String(pid), start ?? "-infinity", locks, `{${pids.join(",")}}`];
  return (await second.rows(HOLDERS_SQL, values)).map(blockerOf);
}

function blockerOf(one: TextRow): Blocker {
  return {
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
  };
}

/** What makes a session one that is in the way, to be asked again by the statement that acts on it. */
export interface InTheWay {
  readonly kind: "blocks" | "holds";
  /** The pid of the session that it blocks; the locks that it holds, see `heldSql`. */
  readonly value: string;
}

const STILL: Readonly<Record<InTheWay["kind"], string>> = {
  blocks: "a.pid = ANY (pg_catalog.pg_blocking_pids($4::integer))",
  holds: `EXISTS (SELECT FROM pg_catalog.pg_locks k WHERE k.pid = a.pid AND ${heldSql("k", "$4")})`,
};

/**
 * Acts on the session $1 that began at $2, in its transaction that began at $3, if it is still in the way by $4: all of that is
 * looked up by the statement that acts, since a pid may belong to another session by now.
 * @param act a session that does nothing has nothing to cancel.
 */
export function actSql(act: "cancel" | "terminate", kind: InTheWay["kind"]): string {
  const also = act === "cancel" ? "AND a.state = 'active' " : "";
  return (
    `SELECT pg_catalog.pg_${act}_backend(a.pid) AS done FROM pg_catalog.pg_stat_activity a ` +
    `WHERE a.pid = $1::integer AND EXTRACT(epoch FROM a.backend_start)::text = $2 ` +
    `AND EXTRACT(epoch FROM a.xact_start)::text = $3 ${also}AND ${STILL[kind]}`
  );
}
