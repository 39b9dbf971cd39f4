import { isGodwitError } from "../core/error.ts";
import { forcedBy } from "../history/forced-release.ts";
import { keptOutNoteOf } from "../core/kept-out-note.ts";
import { readSnapshot, scopeCondition, type HistorySnapshot } from "../history/read.ts";
import { readHolderSessions, readQueue, type Blocker, type HolderSession } from "../lock/holder-sessions.ts";
import { readLockState, type LockState } from "../lock/state.ts";
import { compareWithHistory } from "../plan/compare.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { ident, literal } from "../sql/quote.ts";
import type { FleetIo } from "./io.ts";
import type {
  LockActivity,
  LockBlocker,
  LockHolderStatus,
  LockProgress,
  LockStatusResult,
  TargetLockStatus,
} from "./lock-results.ts";
import { isOwnStatement } from "./own-statement.ts";
import type { VerbOptions } from "./options.ts";
import { shownQuery } from "./shown-query.ts";
import { asOnStandby } from "./standby-lock.ts";
import { listed, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";

/** A lock with what only acting on it needs. */
export interface SeenLock {
  readonly status: TargetLockStatus;
  readonly state: LockState | null;
  /** Those of its holder, as `readHolderSessions`. */
  readonly sessions: readonly HolderSession[];
}

/**
 * Who holds Godwit's lock on every selected target, what it does and how far it is. Creates nothing; a role that may
 * only read is enough, though it sees less of what a session of another role runs.
 * @throws GodwitError DATABASE_UNREACHABLE, HISTORY_TOO_NEW, HISTORY_FOREIGN, PERMISSION_DENIED and of the configuration.
 */
export async function lockStatus(io: FleetIo, options: VerbOptions): Promise<LockStatusResult> {
  const targets: TargetLockStatus[] = [];
  for (const stream of selectStreams(io.config, options.streams)) {
    const target = await resolveTarget(io, stream);
    targets.push(
      await withTargetSession(io, target, async (session) => {
        const snapshot = await readSnapshot(session, target.scope);
        return (await seeLock(io, session, target, snapshot)).status;
      }),
    );
  }
  return { targets };
}

/** Looks at the lock of one target. */
export async function seeLock(
  io: FleetIo,
  session: Session,
  target: Target,
  snapshot: HistorySnapshot & { readonly facts: ServerFacts },
): Promise<SeenLock> {
  const { inRecovery } = snapshot.facts;
  const row = snapshot.meta === null ? null : await readLockState(session, target.scope);
  const state = inRecovery && row !== null ? asOnStandby(row) : row;
  const sessions = inRecovery ? [] : await readHolderSessions(session, target.scope, state);
  const owner = sessions.find(({ hasAdvisoryLock }) => hasAdvisoryLock);
  // Who has just taken the advisory lock has not written its row yet: the row still tells of the one before.
  const recorded =
    state !== null && state.holding !== "free" && (owner === undefined || owner.pid === state.backendPid)
      ? state
      : null;
  const holding = owner === undefined ? (state?.holding ?? "free") : "held";
  // The row of a lock that was taken by force names the run that did it, until another one has the lock.
  const forced =
    state === null || holding !== "free" ? null : await forcedBy(session, target.scope, state.runId);
  const status: TargetLockStatus = {
    target: target.id,
    stream: target.stream.name,
    database: target.label,
    holding,
    because: forced ?? becauseOf(state, recorded, owner, sessions),
    provider: owner === undefined ? (state?.provider ?? null) : (recorded?.provider ?? "advisory"),
    token: state?.token ?? null,
    holder:
      holding === "free"
        ? null
        : await holderOf(io, session, target, { snapshot, recorded, worker: owner ?? sessions[0] }),
    queue: (await readQueue(session, target.scope)).map(shownBlocker),
  };
  return { status, state, sessions };
}

function becauseOf(
  state: LockState | null,
  recorded: LockState | null,
  owner: HolderSession | undefined,
  sessions: readonly HolderSession[],
): string {
  if (recorded === null) {
    if (owner !== undefined) return `backend ${owner.pid} holds it and has not said yet who it is`;
    return state?.because ?? "nobody ever held it";
  }
  const left = sessions.find(({ pid }) => pid === recorded.backendPid);
  return recorded.holding === "stale" && recorded.provider === "advisory" && left !== undefined
    ? `backend ${left.pid} is there, but has lost the advisory lock`
    : recorded.because;
}

async function holderOf(
  io: FleetIo,
  session: Session,
  target: Target,
  seen: {
    readonly snapshot: HistorySnapshot;
    readonly recorded: LockState | null;
    readonly worker: HolderSession | undefined;
  },
): Promise<LockHolderStatus> {
  const { recorded, worker } = seen;
  const run = recorded === null ? undefined : await readRun(session, target, recorded.runId);
  const activity = worker === undefined ? null : activityOf(worker);
  return {
    runId: recorded?.runId ?? null,
    command: run?.command ?? null,
    osUser: run?.os_user ?? null,
    host: recorded?.host ?? null,
    backendPid: worker?.pid ?? recorded?.backendPid ?? null,
    acquiredAt: recorded?.acquiredAt ?? null,
    heldMs: recorded === null ? null : Math.max(0, Math.round(recorded.heldSeconds * 1000)),
    renewedAt: recorded?.renewedAt ?? null,
    expiresAt: recorded?.expiresAt ?? null,
    activity,
    progress:
      recorded === null
        ? null
        : await progressOf(io, session, target, {
            snapshot: seen.snapshot,
            runId: recorded.runId,
            applies: recorded.holding === "held" && run?.command === "up",
            working: activity !== null && activity.transactionMs !== null,
            keptOut: activity?.keptOut?.migration ?? null,
          }),
  };
}

function shownBlocker(blocker: Blocker): LockBlocker {
  return { ...blocker, query: shownQuery(blocker.query) };
}

function activityOf(worker: HolderSession): LockActivity {
  const { pid, state, stateMs, transactionMs, blockers } = worker;
  const keptOut = state === "idle" ? keptOutNoteOf(worker.query) : null;
  const isOwn = keptOut !== null || isOwnStatement(worker.query ?? "");
  return {
    pid,
    state,
    query: isOwn ? null : shownQuery(worker.query),
    stateMs,
    transactionMs,
    waitsFor: blockers.map(shownBlocker),
    keptOut,
  };
}

async function readRun(
  session: Session,
  target: Target,
  runId: string,
): Promise<Readonly<Record<string, string | null>> | undefined> {
  const [row] = await session.rows(
    `SELECT command, os_user FROM ${ident(target.scope.schema)}.runs WHERE run_id = ${literal(runId)}`,
  );
  return row;
}

async function progressOf(
  io: FleetIo,
  session: Session,
  target: Target,
  run: {
    readonly snapshot: HistorySnapshot;
    readonly runId: string;
    /** Whether it works on what is pending. */
    readonly applies: boolean;
    /** Whether it is in a transaction. */
    readonly working: boolean;
    /** The migration that stays out of the queue for a lock; null: none is known to. */
    readonly keptOut: string | null;
  },
): Promise<LockProgress> {
  const schema = ident(target.scope.schema);
  const scope = scopeCondition(target.scope);
  const own = `FROM ${schema}.migration_log WHERE ${scope} AND run_id = ${literal(run.runId)}`;
  const finished = `event IN ('migration.applied', 'migration.taken_back', 'repeatable.applied')`;
  const [row] = await session.rows(
    `SELECT (SELECT count(*) ${own} AND ${finished}) AS done,
       (SELECT migration_id ${own} AND ${finished} ORDER BY seq DESC LIMIT 1) AS last_done, open.id AS running,
       (SELECT count(*) FROM ${schema}.migration_steps WHERE ${scope} AND migration_id = open.id AND kind = open.kind
          AND state = 'done') AS steps_done,
       (SELECT details ->> 'steps' ${own} AND migration_id = open.id
          AND event IN ('migration.started', 'migration.resumed') ORDER BY seq DESC LIMIT 1) AS steps
     FROM (SELECT 1) one LEFT JOIN (SELECT id, kind FROM ${schema}.migrations WHERE ${scope} AND status = 'running'
       AND run_id = ${literal(run.runId)} LIMIT 1) open ON true`,
  );
  const running = row?.running ?? null;
  const due = run.applies ? pendingOf(io, target, run.snapshot) : null;
  const steps = row?.steps ?? null;
  return {
    done: Number(row?.done ?? 0),
    lastDone: row?.last_done ?? null,
    remaining: due?.length ?? null,
    current: running ?? run.keptOut ?? (run.working ? (due?.[0] ?? null) : null),
    stepsDone: running === null ? null : Number(row?.steps_done ?? 0),
    steps: running === null || steps === null ? null : Number(steps),
  };
}

/** Ids of what an `up` has before it, by the files at hand; null: they cannot be read. */
function pendingOf(io: FleetIo, target: Target, { rows }: HistorySnapshot): string[] | null {
  try {
    const { pending, repeatables } = compareWithHistory(listed(io, target.stream), rows);
    return [...pending, ...repeatables].map(({ id }) => id);
  } catch (error) {
    // Files with a fault must not hide who holds a lock.
    if (!isGodwitError(error)) throw error;
    return null;
  }
}
