import type { Session } from "../postgres/session.ts";
import { LONGEST_IDLE_MS } from "../postgres/work-session.ts";
import type { LockGate } from "./gate.ts";
import { advisoryKey, type LockScope } from "./key.ts";

/**
 * The session-level advisory lock, tried and never waited for: a blocked pg_advisory_lock call is a running statement with
 * a snapshot, on which the holder's CREATE INDEX CONCURRENTLY waits until the server reports a deadlock (law 2). It lasts as
 * long as the session, which must be our own, and needs no renewal. A client that was stopped loses the session, and the lock with it,
 * after a while.
 */
export function advisoryGate(session: Session, scope: LockScope): LockGate {
  const key = advisoryKey(scope);
  return {
    name: "advisory",
    async tryEnter() {
      const [row] = await session.rows(
        `SELECT pg_catalog.set_config('idle_session_timeout', '${LONGEST_IDLE_MS}', false) AS idle WHERE pg_catalog.pg_try_advisory_lock(${key})`,
      );
      return row !== undefined;
    },
    renew: async () => (session.lost ? "lost" : "kept"),
    async leave() {
      // A session that is gone has given it back already.
      if (session.lost) return;
      await session
        .cleanup(() =>
          session.query(`SELECT pg_catalog.pg_advisory_unlock(${key}); RESET idle_session_timeout`),
        )
        .catch(() => undefined);
    },
    holder: async () => null,
    close: async () => undefined,
  };
}
