import { GodwitError } from "../core/error.ts";
import { assertWritable, readSnapshot } from "../history/read.ts";
import type { FleetIo } from "./io.ts";
import { takeByForce } from "./lock-by-force.ts";
import { sayLockHolder } from "./lock-holder-words.ts";
import type { LockReleaseResult } from "./lock-results.ts";
import { seeLock, type SeenLock } from "./lock-status.ts";
import type { LockReleaseOptions } from "./options.ts";
import { leaveRedis, logReleased, releaseEntry, type Release } from "./released-lock.ts";
import { selectOneStream } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

/**
 * Gives Godwit's lock of one target back in place of a holder that does not: one that is gone, or with `force` one that lives.
 * The latter is fenced out first, so that it can commit nothing any more, then its session is ended; who did it and why is in the log.
 * At no moment does the lock belong to the session that releases it: whatever breaks half-way, the next run gets it once the
 * holder's session is gone.
 * @throws GodwitError USAGE for `force` without a reason or several streams; LOCK_BUSY while the holder lives, without `force`, or
 *   if somebody else took the lock meanwhile; PERMISSION_DENIED, TIMEOUT if the session could not be ended.
 */
export async function lockRelease(io: FleetIo, options: LockReleaseOptions): Promise<LockReleaseResult> {
  const reason = options.reason?.trim() ?? "";
  const force = options.force === true;
  if (force && reason === "") {
    throw new GodwitError("USAGE", "taking a lock by force needs a reason; it is written to the log", {
      hint: 'godwit lock release --force --reason "what happened"',
    });
  }
  const stream = selectOneStream(io.config, options.streams, "lock release");
  const target = await resolveTarget(io, stream);
  return withTargetSession(io, target, async (session) => {
    const snapshot = await readSnapshot(session, target.scope);
    const { facts } = snapshot;
    if (snapshot.meta !== null) assertWritable(snapshot.meta);
    const seen = await seeLock(io, session, target, snapshot);
    const historyVersion = snapshot.meta?.version ?? 0;
    const release: Release = { io, target, session, facts, reason, historyVersion };
    const result = (
      released: LockReleaseResult["released"],
      endedBackends: readonly number[],
    ): LockReleaseResult => ({
      target: target.id,
      database: target.label,
      released,
      before: seen.status,
      endedBackends,
    });
    if (seen.status.holding === "free") return result("nothing", []);
    if (!lives(seen)) return result("tidied", await tidy(release, seen));
    if (!force) throw stillHeld(seen);
    return result("forced", await takeByForce(release, seen));
  });
}

/** A migration may give the advisory lock of its own session away, and its run lives all the same. */
function lives({ status, sessions }: SeenLock): boolean {
  return status.holding === "held" || (status.provider === "advisory" && sessions.length > 0);
}

/** A run like any other takes the lock, which proves that nobody is left, and gives it back. */
async function tidy(release: Release, seen: SeenLock): Promise<number[]> {
  if (seen.state !== null) await leaveRedis(release, seen.state);
  await logReleased(
    release,
    releaseEntry(release, seen, "lock.tidied", `tidied the lock: ${seen.status.because}`),
  );
  return seen.sessions.map(({ pid }) => pid);
}

function stillHeld({ status }: SeenLock): GodwitError {
  const pid = status.holder?.activity?.pid;
  const session = pid === undefined ? "its session" : `its session, backend ${pid}`;
  return new GodwitError(
    "LOCK_BUSY",
    `${sayLockHolder(status)} holds the lock of "${status.stream}" and lives`,
    {
      hint:
        "wait for it, or see what it does: godwit lock status\n" +
        `or end ${session}, which rolls back what it has not committed:\n` +
        'godwit lock release --force --reason "…"',
    },
  );
}
