import type { LockedTarget } from "../execute/locked-target.ts";
import type { RELEASED_BY_FORCE } from "../history/forced-release.ts";
import type { LogEntry } from "../history/log-chain.ts";
import type { LockState } from "../lock/state.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import type { FleetIo } from "./io.ts";
import type { SeenLock } from "./lock-status.ts";
import { lockTarget } from "./lock-target.ts";
import type { Target } from "./target.ts";

/** A release of a lock at work. */
export interface Release {
  readonly io: FleetIo;
  readonly target: Target;
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly reason: string;
  /** 0: there is none. */
  readonly historyVersion: number;
}

/**
 * Takes the lock as any run does, which proves that nobody is left, writes an entry to the log, and gives it back.
 * @throws GodwitError LOCK_BUSY if somebody else is faster, who then does the same.
 */
export async function logReleased({ io, target, session, facts }: Release, log: LogEntry): Promise<void> {
  const write = async ({ context }: LockedTarget): Promise<void> => context.writer.write({ log: [log] });
  await lockTarget(
    { ...io, lockWaitMs: 0 },
    target,
    { session, facts },
    () => ({ needed: true, pending: null }),
    write,
  );
}

/** What the log is to say of a release: who did it and why, and who held the lock. */
export function releaseEntry(
  { io, facts, reason }: Release,
  { status, state, sessions }: SeenLock,
  event: "lock.tidied" | typeof RELEASED_BY_FORCE,
  message: string,
): LogEntry {
  return {
    level: "warning",
    event,
    migrationId: null,
    message,
    details: {
      reason: reason === "" ? null : reason,
      by: { user: io.run.osUser, host: io.run.host, db_user: facts.user },
      because: status.because,
      holder: {
        run_id: status.holder?.runId ?? null,
        host: status.holder?.host ?? null,
        token: state?.token ?? null,
        provider: status.provider,
        acquired_at: status.holder?.acquiredAt ?? null,
        backends: sessions.map(({ pid }) => pid),
        state: status.holder?.activity?.state ?? null,
        migration: status.holder?.progress?.current ?? null,
      },
    },
  };
}

/** Deletes the key of a holder that is gone or fenced out; where Redis does not answer, it ends by itself. */
export async function leaveRedis(
  { io, target }: Release,
  { provider, runId, host }: LockState,
): Promise<void> {
  if (provider !== "redis" || io.config.lock.redis === null) return;
  const { openTargetGate } = await import("./redis-target.ts");
  const gate = await openTargetGate({ ...io, run: { ...io.run, runId, host } }, target).catch(() => null);
  await gate?.leave();
  await gate?.close();
}
