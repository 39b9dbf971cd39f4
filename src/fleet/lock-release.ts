import { GodwitError, isGodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import type { LockedTarget } from "../execute/locked-target.ts";
import { assertWritable, readSnapshot } from "../history/read.ts";
import { asRefused } from "../history/refused.ts";
import { runFinishedSql, runStartedSql } from "../history/runs.ts";
import { RELEASED_BY_FORCE } from "../history/forced-release.ts";
import type { LogEntry } from "../history/log-chain.ts";
import { HistoryWriter } from "../history/writer.ts";
import { endSessions } from "../lock/end-sessions.ts";
import { gaveBackSql } from "../lock/row.ts";
import type { LockState } from "../lock/state.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident, literal } from "../sql/quote.ts";
import { sayLockHolder } from "./lock-holder-words.ts";
import type { FleetIo } from "./io.ts";
import type { LockReleaseResult } from "./lock-results.ts";
import { seeLock, type SeenLock } from "./lock-status.ts";
import { lockTarget } from "./lock-target.ts";
import type { LockReleaseOptions } from "./options.ts";
import { selectOneStream } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";

/** How long a transaction of the holder may keep the row of the lock before its session is ended first. */
const FENCE_WAIT_MS = 5_000;
/** How long somebody else may keep it: as long as a session may take to end, too. */
const ROW_WAIT_MS = 40_000;
/** The version of the history that brought leases, and with them other columns. */
const LEASES_SINCE = 2;

interface Release {
  readonly io: FleetIo;
  readonly target: Target;
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly reason: string;
  readonly historyVersion: number;
}

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
  await logged(release, entry(release, seen, "lock.tidied", `tidied the lock: ${seen.status.because}`));
  return seen.sessions.map(({ pid }) => pid);
}

/** @throws GodwitError LOCK_BUSY if somebody else is faster, who then does the same. */
async function logged({ io, target, session, facts }: Release, log: LogEntry): Promise<void> {
  const write = async ({ context }: LockedTarget): Promise<void> => context.writer.write({ log: [log] });
  await lockTarget(
    { ...io, lockWaitMs: 0 },
    target,
    { session, facts },
    () => ({ needed: true, pending: null }),
    write,
  );
}

async function takeByForce(release: Release, seen: SeenLock): Promise<number[]> {
  const { io, session, target } = release;
  const { state } = seen;
  if (state === null) {
    // Its first run has not come to its history yet: there is nothing to fence.
    const ended = await endSessions(session, seen.sessions, io.signal);
    await logged(release, entry(release, seen, RELEASED_BY_FORCE, forcedMessage(seen)));
    return ended;
  }
  const fencing = fence(release, seen, state);
  const ended = (await isSoon(fencing)) ? [] : await endWhileWaiting(release, seen, fencing);
  if (!(await fencing)) throw rowHeld(target);
  const left = await endSessions(session, seen.sessions, io.signal).catch((error: unknown) => {
    throw fencedOut(error);
  });
  await giveBack(release, state);
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
      log: [entry(release, seen, RELEASED_BY_FORCE, forcedMessage(seen))],
    });
    return true;
  } catch (error) {
    if (sqlstateOf(error) === SQLSTATE.lockNotAvailable) return false;
    if (isGodwitError(error, "LOCK_LOST")) throw changedHands(error);
    throw asRefused(error, "write", scope.schema, facts.user);
  }
}

/** A run that was waiting may have the lock by now; then its row is its own. */
async function giveBack(release: Release, state: LockState): Promise<void> {
  const { io, session, target, historyVersion } = release;
  const { scope } = target;
  const ownership = { token: state.token + 1, runId: io.run.runId };
  const back =
    historyVersion < LEASES_SINCE
      ? `UPDATE ${ident(scope.schema)}.migration_locks SET expires_at = pg_catalog.clock_timestamp() ` +
        `WHERE key = ${literal(state.key)} AND token = ${ownership.token} AND owner = ${literal(ownership.runId)}`
      : gaveBackSql(scope, ownership, true);
  const finished = runFinishedSql(scope.schema, io.run.runId, "completed");
  await session.cleanup(() => session.query(`${back}; ${finished}`));
  await leaveRedis(release, state);
}

/** Deletes the key of a holder that is gone or fenced out; where Redis does not answer, it ends by itself. */
async function leaveRedis({ io, target }: Release, { provider, runId, host }: LockState): Promise<void> {
  if (provider !== "redis" || io.config.lock.redis === null) return;
  const { openTargetGate } = await import("./redis-target.ts");
  const gate = await openTargetGate({ ...io, run: { ...io.run, runId, host } }, target).catch(() => null);
  await gate?.leave();
  await gate?.close();
}

function forcedMessage({ status }: SeenLock): string {
  return `took the lock by force from ${sayLockHolder(status)}`;
}

function entry(
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
