import { GodwitError, isGodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { RELEASED_BY_FORCE } from "../history/forced-release.ts";
import { asRefused } from "../history/refused.ts";
import { runFinishedSql, runStartedSql } from "../history/runs.ts";
import { HistoryWriter } from "../history/writer.ts";
import { endSessions } from "../lock/end-sessions.ts";
import { gaveBackSql } from "../lock/row.ts";
import type { LockState } from "../lock/state.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident, literal } from "../sql/quote.ts";
import { sayLockHolder } from "./lock-holder-words.ts";
import type { SeenLock } from "./lock-status.ts";
import { leaveRedis, logReleased, releaseEntry, type Release } from "./released-lock.ts";
import { withTargetSession, type Target } from "./target.ts";

/** How long a transaction of the holder may keep the row of the lock before its session is ended first. */
const FENCE_WAIT_MS = 5_000;
/** How long somebody else may keep it: as long as a session may take to end, too. */
const ROW_WAIT_MS = 40_000;
/** The version of the history that brought leases, and with them other columns. */
const LEASES_SINCE = 2;

/**
 * Takes a lock from a holder that lives. It is fenced out first, so that it can commit nothing any more, then its session is ended,
 * then the lock is given back, which at no moment belonged to this run.
 * @returns the process ids of the sessions that were ended.
 * @throws GodwitError LOCK_BUSY if somebody else has taken the lock meanwhile, or keeps its row; PERMISSION_DENIED, TIMEOUT if a
 *   session could not be ended; PERMISSION_DENIED if the history may not be written.
 */
export async function takeByForce(release: Release, seen: SeenLock): Promise<number[]> {
  const { io, session, target } = release;
  const { state } = seen;
  if (state === null) {
    // Its first run has not come to its history yet: there is nothing to fence.
    const ended = await endSessions(session, seen.sessions, io.signal);
    await logReleased(release, releaseEntry(release, seen, RELEASED_BY_FORCE, forcedMessage(seen)));
    return ended;
  }
  const fencing = fence(release, seen, state);
  const ended = (await isSoon(fencing)) ? [] : await endWhileWaiting(release, seen, fencing);
  if (!(await fencing)) throw rowHeld(target);
  const left = await endSessions(session, seen.sessions, io.signal).catch((error: unknown) => {
    throw fencedOut(error);
  });
  await giveBack(release, seen, state);
  return [...ended, ...left];
}

/** Whether something is over before a holder has to be ended for it. */
async function isSoon(work: Promise<unknown>): Promise<boolean> {
  const stopped = new AbortController();
  const late = sleep(FENCE_WAIT_MS, stopped.signal).then(() => false);
  return Promise.race([work.then(() => true), late]).finally(() => stopped.abort());
}

/**
 * Ends a holder that keeps the row of the lock. The fence waits for the row meanwhile, in another session, and so has it before
 * a holder that goes on by itself could take the lock again.
 */
async function endWhileWaiting(
  { io, target }: Release,
  { sessions }: SeenLock,
  fencing: Promise<boolean>,
): Promise<number[]> {
  try {
    return await withTargetSession(io, target, (other) => endSessions(other, sessions, io.signal));
  } catch (error) {
    throw (await fencing.catch(() => false)) ? fencedOut(error) : error;
  }
}

/**
 * Raises the token in the name of this run, so that the holder can commit no history any more (law 3), and logs it with that.
 * The row goes on naming the holder's session, for whoever comes after a release that did not get to its end.
 * @returns false if a transaction of somebody keeps the row.
 * @throws GodwitError LOCK_BUSY if somebody else has taken the lock meanwhile.
 */
async function fence(release: Release, seen: SeenLock, state: LockState): Promise<boolean> {
  const { io, session, target, facts } = release;
  const { scope } = target;
  const current =
    state.holding === "held" ? "AND coalesce(expires_at > pg_catalog.clock_timestamp(), true)" : "";
  const writer = new HistoryWriter({
    session,
    scope,
    fence: { key: state.key, token: state.token + 1, owner: io.run.runId },
    backend: { pid: facts.backendPid, start: facts.backendStart },
    toolVersion: io.run.toolVersion,
    logSeq: 0,
    lastAppliedSeq: 0,
  });
  try {
    await writer.write({
      statements: [
        `SET LOCAL lock_timeout = ${ROW_WAIT_MS}`,
        `UPDATE ${ident(scope.schema)}.migration_locks SET token = token + 1, owner = ${literal(io.run.runId)} ` +
          `WHERE key = ${literal(state.key)} AND token = ${state.token} AND owner = ${literal(state.runId)} ${current}`,
        runStartedSql(scope.schema, io.run),
      ],
      log: [releaseEntry(release, seen, RELEASED_BY_FORCE, forcedMessage(seen))],
    });
    return true;
  } catch (error) {
    if (sqlstateOf(error) === SQLSTATE.lockNotAvailable) return false;
    if (isGodwitError(error, "LOCK_LOST")) throw changedHands(error);
    throw asRefused(error, "write", scope.schema, facts.user);
  }
}

/** A run that was waiting may have the lock by now; then its row is its own. */
async function giveBack(release: Release, seen: SeenLock, state: LockState): Promise<void> {
  const { io, session, target, historyVersion } = release;
  const { scope } = target;
  const ownership = { token: state.token + 1, runId: io.run.runId };
  const back =
    historyVersion < LEASES_SINCE
      ? `UPDATE ${ident(scope.schema)}.migration_locks SET expires_at = pg_catalog.clock_timestamp() ` +
        `WHERE key = ${literal(state.key)} AND token = ${ownership.token} AND owner = ${literal(ownership.runId)}`
      : gaveBackSql(scope, ownership, true);
  const statements = [back, runFinishedSql(scope.schema, io.run.runId, "completed")];
  const holder = seen.status.holder?.runId ?? null;
  if (holder !== null) statements.push(runFinishedSql(scope.schema, holder, "interrupted"));
  await session.cleanup(() => session.query(statements.join("; ")));
  await leaveRedis(release, state);
}

function forcedMessage({ status }: SeenLock): string {
  return `took the lock by force from ${sayLockHolder(status)}`;
}

function changedHands(cause: unknown): GodwitError {
  return new GodwitError("LOCK_BUSY", "the lock was given back meanwhile, or another run has it", {
    hint: "see who holds it now: godwit lock status",
    cause,
  });
}

function rowHeld({ scope }: Target): GodwitError {
  const table = `${ident(scope.schema)}.migration_locks`;
  return new GodwitError(
    "LOCK_BUSY",
    `a transaction of another session holds the row of the lock in ${table}`,
    {
      hint:
        "see who: godwit lock blockers, or SELECT pid FROM pg_locks WHERE relation = " +
        `${literal(table)}::regclass;`,
    },
  );
}

/** A session that could not be ended can commit no history all the same. */
function fencedOut(error: unknown): unknown {
  if (!isGodwitError(error)) return error;
  return new GodwitError(
    error.code,
    `${error.message}; it can record nothing any more, and keeps the lock until it ends`,
    {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.sqlstate === undefined ? {} : { sqlstate: error.sqlstate }),
      cause: error,
    },
  );
}
