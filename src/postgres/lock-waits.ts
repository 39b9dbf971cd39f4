import { keptOutNoteOf } from "../core/kept-out-note.ts";
import type { Session } from "./session.ts";

/** A session that waits for a lock, as pg_locks and pg_blocking_pids tell (manual 54.12, 9.28). */
export interface LockWait {
  readonly pid: number;
  /** As pg_locks has it: `AccessExclusiveLock`. */
  readonly mode: string;
  /** What is locked, in words: a relation, `a row of` one, `transaction 812` … */
  readonly object: string;
  /** null for the moment in which the server has not noted it yet. */
  readonly waitedMs: number | null;
  /** The migration that stays out of the queue for it, and asks again; null: it stands in the queue. */
  readonly keptOut: string | null;
  /** Sessions that it waits for, those in front of it in the queue included. */
  readonly blockers: readonly number[];
  /** Prepared transactions that it waits for, by their gid. */
  readonly prepared: readonly string[];
}

/** A session that waits or is waited for; what this role may not see is null. */
export interface LockParty {
  readonly pid: number;
  readonly user: string | null;
  readonly superuser: boolean;
  /** The role that looks, where it may not end this session but could be allowed to; null: it may, or only a superuser may. */
  readonly refusedTo: string | null;
  readonly application: string | null;
  readonly database: string | null;
  /** `client backend`, `autovacuum worker`, `walsender` … */
  readonly backendType: string | null;
  readonly state: string | null;
  readonly query: string | null;
  /** How long it has been in its state, in milliseconds. */
  readonly stateMs: number | null;
  readonly transactionMs: number | null;
}

export interface PreparedParty {
  readonly gid: string;
  readonly user: string | null;
  readonly database: string;
  /** Since it was prepared, in milliseconds. */
  readonly preparedMs: number;
}

export interface LockWaits {
  readonly waits: readonly LockWait[];
  readonly sessions: readonly LockParty[];
  readonly prepared: readonly PreparedParty[];
}

/** Modes that conflict with each, by their numbers in the manual's table 13.2, weakest first. */
const MODES = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
];
const CONFLICTS = ["8", "78", "5678", "45678", "34678", "345678", "2345678", "12345678"];

/**
 * Parallel workers wait and block in the name of their leader. Locks of a prepared transaction have no pid, and which one it
 * is tells the lock on its own id, held under the same virtual transaction. A session may be ended by who has the privileges of
 * its role, and, unless that is a superuser, by who has those of pg_signal_backend (manual 9.28.2).
 */
const WAITS_SQL = `WITH locks AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks), waits AS MATERIALIZED (
  SELECT coalesce(a.leader_pid, l.pid) AS pid, l.mode, pg_catalog.pg_blocking_pids(l.pid) AS blockers,
    extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart) * 1000 AS waited_ms, l AS lock,
    CASE l.locktype
      WHEN 'relation' THEN l.relation::regclass::text
      WHEN 'extend' THEN 'the end of ' || l.relation::regclass
      WHEN 'page' THEN 'a page of ' || l.relation::regclass
      WHEN 'tuple' THEN 'a row of ' || l.relation::regclass
      WHEN 'transactionid' THEN coalesce((SELECT 'a row of ' || t.relation::regclass FROM locks t
          WHERE t.pid = l.pid AND t.locktype = 'tuple' AND t.granted LIMIT 1), 'transaction ' || l.transactionid)
      WHEN 'virtualxid' THEN 'transaction ' || l.virtualxid || ', whose snapshot is older'
      WHEN 'object' THEN coalesce(pg_catalog.pg_describe_object(l.classid, l.objid, l.objsubid), 'an object that is gone')
      WHEN 'advisory' THEN 'advisory lock ' || CASE l.objsubid
          WHEN 1 THEN ((l.classid::bigint << 32) | l.objid::bigint)::text ELSE l.classid || ', ' || l.objid END
      ELSE l.locktype END AS object
  FROM locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  WHERE NOT l.granted AND a.datname = pg_catalog.current_database()
), candidates AS MATERIALIZED (
  SELECT w.pid, w.mode AS wanted, l.mode AS held, x.gid, x.owner, x.database,
    extract(epoch FROM pg_catalog.clock_timestamp() - x.prepared) * 1000 AS prepared_ms
  FROM waits w JOIN locks l ON l.granted AND l.pid IS NULL AND l.locktype = (w.lock).locktype
      AND (l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid)
        IS NOT DISTINCT FROM ((w.lock).database, (w.lock).relation, (w.lock).page, (w.lock).tuple, (w.lock).virtualxid,
          (w.lock).transactionid, (w.lock).classid, (w.lock).objid, (w.lock).objsubid)
    JOIN locks own ON own.pid IS NULL AND own.locktype = 'transactionid' AND own.virtualtransaction = l.virtualtransaction
    JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = own.transactionid
  WHERE 0 = ANY (w.blockers)
), parties AS (SELECT w.pid FROM waits w UNION SELECT pg_catalog.unnest(w.blockers) FROM waits w
  UNION SELECT pg_catalog.unnest($1::integer[]))
SELECT (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('pid', w.pid, 'mode', w.mode, 'object', w.object,
      'waitedMs', pg_catalog.round(w.waited_ms), 'blockers', w.blockers)) FROM waits w) AS waits,
  (SELECT pg_catalog.json_agg(c) FROM candidates c) AS prepared,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('pid', a.pid, 'user', a.usename,
      'superuser', coalesce(r.rolsuper, false),
      'refusedTo', CASE WHEN NOT r.rolsuper AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE')
        AND NOT pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') THEN current_user END,
      'application', nullif(a.application_name, ''), 'database', a.datname,
      'backendType', a.backend_type, 'state', a.state,
      'query', nullif(nullif(a.query, ''), '<insufficient privilege>'),
      'stateMs', pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp()
        - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END) * 1000),
      'transactionMs', pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000)))
    FROM pg_catalog.pg_stat_activity a JOIN parties p ON p.pid = a.pid
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid) AS sessions`;

interface PreparedCandidate {
  readonly pid: number;
  readonly wanted: string;
  readonly held: string;
  readonly gid: string;
  readonly owner: string | null;
  readonly database: string;
  readonly prepared_ms: number;
}

/**
 * Who waits for a lock in the session's database now, for whom, and what is known of all of them. Reads only; any role may.
 * Blockers may be in other databases, since roles and databases are locked for the whole server.
 */
export async function readLockWaits(session: Session): Promise<LockWaits> {
  const kept = await readKeptOut(session);
  const pids = kept.flatMap(({ pid, blockers }) => [pid, ...blockers]);
  const [row] = await session.rows(WAITS_SQL, [`{${pids.join(",")}}`]);
  const waits = JSON.parse(row?.waits ?? "[]") as Omit<LockWait, "prepared" | "keptOut">[];
  const candidates = (JSON.parse(row?.prepared ?? "[]") as PreparedCandidate[]).filter(({ wanted, held }) =>
    conflict(wanted, held),
  );
  const sessions = JSON.parse(row?.sessions ?? "[]") as LockParty[];
  const prepared = new Map<string, PreparedParty>();
  for (const { gid, owner, database, prepared_ms } of candidates) {
    prepared.set(gid, { gid, user: owner, database, preparedMs: Math.round(prepared_ms) });
  }
  const there = new Set(sessions.map(({ pid }) => pid));
  const outside = kept
    .map((wait) => ({ ...wait, blockers: wait.blockers.filter((pid) => there.has(pid)) }))
    .filter(({ pid, blockers }) => there.has(pid) && blockers.length > 0);
  const queued = waits.map(({ waitedMs, blockers, ...wait }) => ({
    ...wait,
    keptOut: null,
    waitedMs: waitedMs === null ? null : Math.max(0, waitedMs),
    blockers: [...new Set(blockers)].filter((pid) => pid !== 0),
    prepared: [
      ...new Set(
        candidates
          .filter(({ pid, wanted }) => pid === wait.pid && wanted === wait.mode)
          .map(({ gid }) => gid),
      ),
    ],
  }));
  return {
    waits: [...queued, ...outside],
    sessions,
    prepared: [...prepared.values()],
  };
}

/** Modes that are not those of tables conflict with everything, as far as it matters here. */
function conflict(wanted: string, held: string): boolean {
  const at = MODES.indexOf(wanted);
  const other = MODES.indexOf(held);
  return at < 0 || other < 0 || CONFLICTS[at]!.includes(String(other + 1));
}

/** Runs of Godwit that stay out of the queue for a lock, by the note in their session's last query. */
async function readKeptOut(session: Session): Promise<LockWait[]> {
  const rows = await session.rows(
    `SELECT a.pid, a.query FROM pg_catalog.pg_stat_activity a
     WHERE a.datname = pg_catalog.current_database() AND a.state = 'idle'
       AND pg_catalog.starts_with(a.application_name, 'godwit') AND pg_catalog.starts_with(a.query, '/* godwit: ')`,
  );
  return rows.flatMap(({ pid, query }) => {
    const note = keptOutNoteOf(query ?? null);
    if (note === null) return [];
    const { migration: keptOut, mode, relation: object } = note;
    const blockers = note.pids.filter((one) => one !== 0);
    return [{ pid: Number(pid), mode, object, waitedMs: null, keptOut, blockers, prepared: [] }];
  });
}
