import { withLockedTarget, type LockedTarget } from "../execute/locked-target.ts";
import type { HistorySnapshot } from "../history/read.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import type { FleetIo } from "./io.ts";
import type { Target } from "./target.ts";

/** How long a migration's transaction is tried again when a lock on an object cannot be had. */
const LOCK_RETRY_MS = 60_000;

/** `withLockedTarget` with everything that a verb over the fleet has at hand. */
export async function lockTarget<T>(
  io: FleetIo,
  target: Target,
  at: { readonly session: Session; readonly facts: ServerFacts },
  stillNeeded: (snapshot: HistorySnapshot) => boolean,
  body: (locked: LockedTarget) => Promise<T>,
): Promise<T | null> {
  return withLockedTarget(
    {
      ...at,
      scope: target.scope,
      target: target.id,
      run: io.run,
      searchPath: target.searchPath,
      lockTimeoutMs: io.config.safety.lockTimeoutMs,
      statementTimeoutMs: io.config.safety.statementTimeoutMs,
      lockWaitMs: io.lockWaitMs,
      lockRetryMs: io.lockRetryMs ?? LOCK_RETRY_MS,
      signal: io.signal,
      emit: io.emit,
      stillNeeded,
    },
    body,
  );
}
