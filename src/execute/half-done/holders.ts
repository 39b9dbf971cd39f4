import { monotonicMs } from "../../core/clock.ts";
import { GodwitError } from "../../core/error.ts";
import { sleep } from "../../core/interrupt.ts";
import type { Session } from "../../postgres/session.ts";
import { maskedQuery } from "../../postgres/masked-query.ts";
import { subject } from "../statement-events.ts";
import type { Scene } from "./kind.ts";

const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 1000;

/**
 * Who holds a lock that CREATE INDEX CONCURRENTLY and its like take on a table, or a stronger one. Not who vacuums or
 * analyses it: an autovacuum gives way only to who stands in the queue. A prepared transaction has no process.
 */
const HOLDERS_SQL = `SELECT pg_catalog.string_agg(coalesce('backend ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
    || coalesce(': ' || ${maskedQuery("nullif(a.query, '')")}, ''), 'a prepared transaction'), ', ') AS holders
  FROM (SELECT DISTINCT pid FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND relation = $1::oid AND granted
      AND database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
      AND mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      AND pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum v WHERE v.pid = pg_locks.pid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_analyze v WHERE v.pid = pg_locks.pid)) l
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid`;

/**
 * Who else is at work on a table, in words; null: nobody.
 * @param table its oid.
 */
export async function whoIsAtWork(session: Session, table: string): Promise<string | null> {
  const [row] = await session.rows(HOLDERS_SQL, [table]);
  return row?.holders ?? null;
}

/**
 * Waits until nobody else is at work on a table: what looks half done may just be in the making. Holds no lock and no
 * snapshot meanwhile, for which the other might wait.
 * @param table its oid.
 * @param what is half done, in words: `index orders_user is not valid`.
 * @returns whether somebody was: then the catalog must be looked at again.
 * @throws GodwitError OBJECT_LOCK_TIMEOUT when that has taken as long as what is patient may; the signal's reason.
 */
export async function waitForOthers(
  { context, planned, statement }: Scene,
  table: string,
  what: string,
): Promise<boolean> {
  const { courtesy, session, signal, emit } = context;
  const { patientTimeoutMs: withinMs } = courtesy.settings;
  const began = monotonicMs();
  let told = -Infinity;
  for (;;) {
    const holders = await whoIsAtWork(session, table);
    if (holders === null) return told !== -Infinity;
    const elapsedMs = monotonicMs() - began;
    if (withinMs > 0 && elapsedMs >= withinMs) throw stillAtWork(planned, what, holders);
    if (elapsedMs - told >= TELL_EVERY_MS) {
      told = elapsedMs;
      emit({
        type: "statement.progress",
        ...subject(context, planned),
        ordinal: statement.ordinal,
        elapsedMs,
        phase: `${what}: waiting for who may be at work on it`,
        done: null,
        total: null,
        waitingFor: holders,
      });
    }
    await sleep(LOOK_EVERY_MS, signal);
  }
}

function stillAtWork({ direction, id }: Scene["planned"], what: string, holders: string): GodwitError {
  return new GodwitError(
    "OBJECT_LOCK_TIMEOUT",
    `${id}: ${what}, and another session is still at work on its table`,
    {
      detail: `the table is held by ${holders}`,
      hint:
        `wait until the other session is done, or end it, then: godwit ${direction}\n` +
        `or wait for longer: godwit ${direction} --patient-timeout 4h`,
    },
  );
}
