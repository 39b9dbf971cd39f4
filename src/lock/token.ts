import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import type { Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident, literal } from "../sql/quote.ts";
import { sessionsOfHolders } from "./holder.ts";
import { lockKey, type LockScope } from "./key.ts";

/** How long sessions of an earlier holder may take to end by themselves before they are terminated. */
const LEAVE_MS = 5_000;
/** How long a terminated session may take to be gone. */
const TERMINATE_MS = 30_000;
/** How long a transaction of somebody else may hold the lock's row. */
const ROW_WAIT_MS = 30_000;

/**
 * Proves that no session of an earlier holder is left (law 4): a client that was killed may have a statement running on
 * in the server, which finishes and commits. Waits for such sessions to end, then terminates them, then waits again.
 * @returns the process ids that had to be terminated.
 * @throws GodwitError NEEDS_REPAIR if one cannot be ended, e.g. because it belongs to another role.
 */
export async function proveNoEarlierSession(
  session: Session,
  scope: LockScope,
  signal?: AbortSignal,
): Promise<number[]> {
  const started = monotonicMs();
  const terminated = new Set<number>();
  let poll = 10;
  for (;;) {
    const pids = await sessionsOfHolders(session, scope);
    if (pids.length === 0) return [...terminated];
    const elapsed = monotonicMs() - started;
    if (elapsed > LEAVE_MS) {
      for (const pid of pids) {
        if (terminated.has(pid)) continue;
        try {
          await session.query("SELECT pg_catalog.pg_terminate_backend($1)", [String(pid)]);
          terminated.add(pid);
        } catch (error) {
          throw sqlstateOf(error) === SQLSTATE.insufficientPrivilege ? leftOver(pid, error) : error;
        }
      }
    }
    if (elapsed > LEAVE_MS + TERMINATE_MS) throw leftOver(pids[0]!, undefined);
    await sleep(poll, signal);
    poll = Math.min(poll * 2, 250);
  }
}

/**
 * Raises the token of the lock and becomes its owner. Waits for transactions that still hold the row, which is
 * what makes the token a fence: after this returns, no earlier holder can commit history (law 3). Leaves the session's
 * lock_timeout changed.
 * @param owner.backendStart null where the role may not see it.
 * @param owner.genesis the hash that the first entry of the log follows.
 * @returns the token, and the number of the newest entry of the log.
 * @throws GodwitError LOCK_BUSY if somebody holds the row for longer than half a minute.
 */
export async function raiseToken(
  session: Session,
  scope: LockScope,
  owner: {
    readonly runId: string;
    readonly pid: number;
    readonly backendStart: string | null;
    readonly host: string | null;
    readonly genesis: string;
  },
): Promise<{ readonly token: number; readonly logSeq: number }> {
  await session.query(`SET lock_timeout = ${ROW_WAIT_MS}`);
  const raising = session.rows(
    `INSERT INTO ${ident(scope.schema)}.migration_locks AS l (key, token, owner, backend_pid, backend_start, host, log_hash)
     VALUES (${literal(lockKey(scope))}, 1, ${literal(owner.runId)}, ${owner.pid}, ${literal(owner.backendStart)}, ${literal(owner.host)}, ${literal(owner.genesis)})
     ON CONFLICT (key) DO UPDATE SET token = l.token + 1, owner = EXCLUDED.owner, backend_pid = EXCLUDED.backend_pid,
       backend_start = EXCLUDED.backend_start, host = EXCLUDED.host, acquired_at = EXCLUDED.acquired_at,
       renewed_at = EXCLUDED.renewed_at, expires_at = NULL
     RETURNING token, log_seq`,
  );
  const [row] = await raising.catch((error: unknown) => {
    throw sqlstateOf(error) === SQLSTATE.lockNotAvailable ? rowHeld(scope, error) : error;
  });
  return { token: Number(row!.token), logSeq: Number(row!.log_seq) };
}

function rowHeld(scope: LockScope, cause: unknown): GodwitError {
  const table = `${ident(scope.schema)}.migration_locks`;
  return new GodwitError(
    "LOCK_BUSY",
    `a transaction of another session holds the row of the lock in ${table}`,
    {
      hint: `find it and end it: SELECT pid, query FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE relation = ${literal(table)}::regclass;`,
      cause,
    },
  );
}

function leftOver(pid: number, cause: unknown): GodwitError {
  return new GodwitError(
    "NEEDS_REPAIR",
    `backend ${pid} of an earlier run is still at work and cannot be ended by this role`,
    {
      hint: `as its owner or a superuser: SELECT pg_terminate_backend(${pid}); then run the same command again`,
      cause,
    },
  );
}
