import { crashPoint } from "../core/crash-points.ts";
import type { Emit } from "../core/events.ts";
import { readHistory, type HistoryScope, type HistorySnapshot } from "../history/read.ts";
import { asRefused } from "../history/refused.ts";
import { runFinishedSql, runStartedSql, type RunRecord } from "../history/runs.ts";
import { HistoryWriter } from "../history/writer.ts";
import type { WorkLeft } from "../lock/poll.ts";
import type { LockGate } from "../lock/gate.ts";
import { holderName, lockKey } from "../lock/key.ts";
import { gaveBackSql, renewalSql, worksInSql, type Backend } from "../lock/row.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";
import {
  LONGEST_IDLE_MS,
  NO_HOLDER_ANY_MORE,
  supportsConnectionCheck,
  workSettingsSql,
  type WorkSettings,
} from "../postgres/work-session.ts";
import type { ExecutionContext } from "./context.ts";
import { withHeldLock, type HeldLock } from "./held-lock.ts";
import { Courtesy, type CourtesySettings } from "./courtesy.ts";
import { StatementWatch } from "./statement-watch.ts";
import { withWorkPlace, type WorkPlace } from "./work-place.ts";

export interface LockOptions {
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly scope: HistoryScope;
  readonly target: string;
  readonly run: RunRecord;
  /** No pooler shares `session` with others. */
  readonly isOwn: boolean;
  /** Whether to tell those that wait once the lock is given back. */
  readonly rings: boolean;
  /** Its connection is ended with the lock. */
  readonly gate: LockGate;
  readonly leaseMs: number;
  /** Where a session of our own can be had when `session` goes through a pooler; null: nowhere. */
  readonly direct: ConnectionSettings | null;
  readonly searchPath: string | null;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly lockWaitMs: number;
  /** How long a transaction is tried again for locks on objects, in milliseconds. */
  readonly lockRetryMs: number;
  readonly courtesy: CourtesySettings;
  readonly signal: AbortSignal | undefined;
  readonly emit: Emit;
  /** What is still to be done, asked while waiting for the lock. */
  readonly look: (snapshot: HistorySnapshot) => WorkLeft;
}

/** A target while this run holds its lock. */
export interface LockedTarget {
  readonly context: ExecutionContext;
  /** The history as read after the lock was held (law 1). */
  readonly snapshot: HistorySnapshot;
}

/**
 * Takes the lock of a target, reads the history again, then calls `body` with a session to work in: the one that took an
 * advisory lock, or, with a lease, one of its own. Gives the lock back whatever happens.
 * @returns null if the wait for the lock showed that nothing is left to do.
 * @throws GodwitError LOCK_BUSY, LOCK_LOST, NEEDS_REPAIR, PERMISSION_DENIED, HISTORY_TOO_NEW, HISTORY_FOREIGN,
 *   CONFIG_INVALID where `direct` reaches another database, and what `body` throws.
 */
export async function withLockedTarget<T>(
  options: LockOptions,
  body: (locked: LockedTarget) => Promise<T>,
): Promise<T | null> {
  return withHeldLock(options, (held) =>
    withWorkPlace(options, held, (place) => workIn(options, held, place, body)),
  );
}

async function workIn<T>(
  options: LockOptions,
  held: HeldLock,
  place: WorkPlace,
  body: (locked: LockedTarget) => Promise<T>,
): Promise<T> {
  const { scope, target, emit, run } = options;
  const { session, signal } = place;
  let watch: StatementWatch | undefined;
  try {
    const reading = readHistory(session, scope);
    reading.catch(() => undefined);
    const work = await establish(options, held, place);
    const backend = { pid: place.facts.backendPid, start: place.facts.backendStart };
    const { name: provider } = options.gate;
    emit({ type: "lock.acquired", target, token: held.token, waitedMs: held.waitedMs, provider });
    const snapshot = await reading;
    const writer = new HistoryWriter({
      session,
      scope,
      fence: { key: lockKey(scope), token: held.token, owner: run.runId },
      backend,
      toolVersion: run.toolVersion,
      logSeq: held.logSeq,
      renewal: held.lost === null ? undefined : renewalSql(scope, { token: held.token, runId: run.runId }),
      lastAppliedSeq: snapshot.rows.reduce((highest, row) => Math.max(highest, row.appliedSeq ?? 0), 0),
    });
    const aimed = (watch = new StatementWatch({
      settings: session.settings,
      applicationName: "godwit watch",
      watched: backend,
      pooled: place.pooled,
    }));
    const courtesy = new Courtesy({
      settings: options.courtesy,
      second: aimed.second,
      watched: () => aimed.watched,
      target,
      emit,
    });
    const context: ExecutionContext = {
      session,
      writer,
      work,
      emit,
      target,
      stream: scope.stream,
      runId: run.runId,
      signal,
      watch: aimed,
      courtesy,
      slowStatements: [],
      messages: [],
      searchPath: options.searchPath,
      lockRetryMs: options.lockRetryMs,
    };
    await recordStart(writer, options, held, place.pooled ? null : backend).catch((error: unknown) => {
      throw asRefused(error, "write", scope.schema, place.facts.user);
    });
    crashPoint("run.recorded");
    return await recordEnd(context, options, held, () => body({ context, snapshot }));
  } finally {
    await watch?.close();
    if (!place.pooled) await session.cleanup(() => leaveSession(session)).catch(() => undefined);
  }
}

/** Gives the session the settings of a holder; behind a pooler each transaction takes them along (law 10). */
async function establish(options: LockOptions, held: HeldLock, place: WorkPlace): Promise<WorkSettings> {
  const { session, pooled } = place;
  const work: WorkSettings = {
    applicationName: holderName(options.scope, held.token, options.run.runId),
    idleInTransactionMs: LONGEST_IDLE_MS,
    idleSessionMs: LONGEST_IDLE_MS,
    lockTimeoutMs: options.lockTimeoutMs,
    statementTimeoutMs: options.statementTimeoutMs,
    connectionCheck: await supportsConnectionCheck(session, pooled),
    overTcp: place.facts.port !== null,
    pooled,
  };
  if (!pooled) await session.query(workSettingsSql(work));
  return work;
}

/** Leaves the session as it was before: others may hold the lock while it goes on with something else. */
async function leaveSession(session: Session): Promise<void> {
  await Promise.allSettled([session.query("ROLLBACK"), session.query(NO_HOLDER_ANY_MORE)]);
}

/** Says in the history who holds the lock, in which session, and that no earlier session is left. */
async function recordStart(
  writer: HistoryWriter,
  { scope, run, gate }: LockOptions,
  { token, terminated }: HeldLock,
  backend: Backend | null,
): Promise<void> {
  const { name: provider } = gate;
  const log = [
    {
      level: "info",
      event: "lock.acquired",
      migrationId: null,
      message: `${run.command} holds the lock`,
      details: {
        token,
        provider,
        command: run.command,
        host: run.host,
        terminated_backends: terminated,
      },
    },
  ] as const;
  const ownership = { token, runId: run.runId };
  const statements = [runStartedSql(scope.schema, run), worksInSql(scope, ownership, backend)];
  await writer.write({ log, statements });
}

/** Writes the outcome of the run; a failure to do so must not hide the one that ended it. */
async function recordEnd<T>(
  context: ExecutionContext,
  { scope, run }: LockOptions,
  { token, settle, noteGivenBack }: HeldLock,
  body: () => Promise<T>,
): Promise<T> {
  const finish = async (outcome: "completed" | "failed" | "interrupted"): Promise<void> => {
    await settle();
    await context.session.cleanup(async () => {
      await context.courtesy.writeActs(context.writer);
      crashPoint("lock.giving-back");
      await context.writer.write({
        log: [
          {
            level: outcome === "completed" ? "info" : "warning",
            event: "lock.released",
            migrationId: null,
            message: `${run.command} ${outcome}`,
            details: { outcome, slow_statements: context.slowStatements },
          },
        ],
        statements: [
          runFinishedSql(scope.schema, run.runId, outcome),
          gaveBackSql(scope, { token, runId: run.runId }),
        ],
      });
      noteGivenBack();
      crashPoint("lock.given-back");
    });
  };
  try {
    const result = await body();
    await finish("completed");
    return result;
  } catch (error) {
    await finish(context.signal?.aborted === true ? "interrupted" : "failed").catch(() => undefined);
    throw error;
  }
}
