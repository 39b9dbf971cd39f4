import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import type { Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { sessionsOfHolders } from "./holder.ts";
import type { LockScope } from "./key.ts";
import type { Backend } from "./row.ts";

/** How long sessions of an earlier holder may take to end by themselves before they are terminated. */
const LEAVE_MS = 5_000;
/** How long a terminated session may take to be gone. */
const TERMINATE_MS = 30_000;

/**
 * Proves that no session of an earlier holder is left (law 4): a client that was killed may have a statement running on
 * in the server, which finishes and commits. Waits for such sessions to end, then terminates them, then waits again.
 * @param recorded the session that the lock's row named before it was claimed.
 * @returns the process ids that had to be terminated.
 * @throws GodwitError NEEDS_REPAIR if one cannot be ended, e.g. because it belongs to another role.
 */
export async function proveNoEarlierSession(
  session: Session,
  scope: LockScope,
  recorded: Backend | null,
  signal?: AbortSignal,
): Promise<number[]> {
  const started = monotonicMs();
  const terminated = new Set<number>();
  let poll = 10;
  for (;;) {
    const pids = await sessionsOfHolders(session, scope, recorded);
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
