import type { GodwitError } from "../core/error.ts";
import { throwIfAborted } from "../core/interrupt.ts";
import { forcedOut } from "../history/forced-release.ts";
import { readSnapshot } from "../history/read.ts";
import { openSession, type Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import type { FleetIo } from "./io.ts";
import type { Target } from "./target.ts";

const LONGEST_LOOK_MS = 1000;

/**
 * Whether the lock of a run that lost it, or its session, was taken by force: asked before it is told that the run goes on by
 * itself. Who takes the lock by force fences the holder out and ends its session, so that nothing is asked after any other loss.
 * @param reason what ended the work.
 * @returns LOCK_LOST as of `forcedOut`; null: it was not, or the answer was not to be had within a second.
 * @throws the signal's reason.
 */
export async function lookForForce(
  io: FleetIo,
  target: Target,
  reason: GodwitError,
): Promise<GodwitError | null> {
  const { settings, scope } = target;
  if (reason.code !== "LOCK_LOST" && reason.sqlstate !== SQLSTATE.adminShutdown) return null;
  let session: Session | null = null;
  try {
    session = await openSession(settings, {
      applicationName: settings.applicationName ?? "godwit",
      signal: io.signal,
      timeoutMs: LONGEST_LOOK_MS,
    });
    const { meta } = await readSnapshot(session, scope);
    return meta === null ? null : await forcedOut(session, scope, io.run.runId);
  } catch {
    // What is the matter with the server is told by the attempts that follow.
    throwIfAborted(io.signal);
    return null;
  } finally {
    session?.close();
  }
}
