import { hostname } from "node:os";
import { monotonicMs } from "../core/clock.ts";
import type { Emit } from "../core/events.ts";
import { GodwitError } from "../core/error.ts";
import { genesis } from "../history/log-chain.ts";
import { readHistory, type HistoryScope, type HistorySnapshot } from "../history/read.ts";
import { runFinishedSql, runStartedSql, type RunRecord } from "../history/runs.ts";
import { asRefused } from "../history/refused.ts";
import { upgradeHistory } from "../history/upgrade.ts";
import { HistoryWriter } from "../history/writer.ts";
import { acquireAdvisoryLock, releaseAdvisoryLock } from "../lock/advisory.ts";
import { holderName, lockKey } from "../lock/key.ts";
import { proveNoEarlierSession, raiseToken } from "../lock/token.ts";
import type { Session } from "../postgres/session.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import {
  NO_HOLDER_ANY_MORE,
  supportsConnectionCheck,
  workSettingsSql,
  type WorkSettings,
} from "../postgres/work-session.ts";
import type { ExecutionContext } from "./context.ts";
import { StatementWatch } from "./statement-watch.ts";

/** How long a server lets a transaction of ours stand idle: only a client that hangs does that for longer. */
const IDLE_IN_TRANSACTION_MS = 600_000;
/** How long the creation of the history may wait for another process that does it. */
const UPGRADE_WAIT_MS = 60_000;

export interface LockOptions {
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly scope: HistoryScope;
  readonly target: string;
  readonly run: RunRecord;
  readonly searchPath: string | null;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly lockWaitMs: number;
  /** How long a transaction is tried again for locks on objects, in milliseconds. */
  readonly lockRetryMs: number;
  readonly signal: AbortSignal | undefined;
  readonly emit: Emit;
  /** Whether there is still something to do, asked while waiting for the lock. */
  readonly stillNeeded: (snapshot: HistorySnapshot) => boolean;
}

/** A target while this run holds its lock. */
export interface LockedTarget {
  readonly context: ExecutionContext;
  /** The history as read after the lock was held (law 1). */
  readonly snapshot: HistorySnapshot;
}

/**
 * Takes the lock of a target, proves that no earlier holder's session is left, creates or upgrades the history, raises
 * the fencing token and reads the history again, then calls `body`; gives the lock back whatever happens.
 * @returns null if the wait for the lock showed that nothing is left to do.
 * @throws GodwitError POOLER_NEEDS_DIRECT_URL, LOCK_BUSY, NEEDS_REPAIR, PERMISSION_DENIED, HISTORY_TOO_NEW, HISTORY_FOREIGN
 *   and what `body` throws.
 */
export async function withLockedTarget<T>(
  options: LockOptions,
  body: (locked: LockedTarget) => Promise<T>,
): Promise<T | null> {
  const { session, scope, facts, target, signal, emit } = options;
  assertOwnSession(facts);
  const started = monotonicMs();
  const acquired = await acquireAdvisoryLock(session, scope, {
    waitMs: options.lockWaitMs,
    signal,
    onWaiting: (holder, elapsedMs) => emit({ type: "lock.waiting", target, holder, elapsedMs }),
    stillNeeded: async () => options.stillNeeded(await readHistory(session, scope)),
  });
  const waitedMs = monotonicMs() - started;
  if (!acquired) return null;
  let watch: StatementWatch | undefined;
  try {
    const terminated = await proveNoEarlierSession(session, scope, signal);
    const upgraded = await upgradeHistory(session, scope, {
      toolVersion: options.run.toolVersion,
      signal,
      waitMs: UPGRADE_WAIT_MS,
    });
    if (upgraded.from !== upgraded.to) emit({ type: "history.upgraded", target, ...upgraded });
    const host = options.run.host ?? hostname();
    const { runId } = options.run;
    const refused = (error: unknown): never => {
      throw asRefused(error, "write", scope.schema, facts.user);
    };
    const checkable = supportsConnectionCheck(session);
    checkable.catch(() => undefined);
    const { token, logSeq } = await raiseToken(session, scope, {
      runId,
      pid: facts.backendPid,
      backendStart: facts.backendStart,
      host,
      genesis: genesis(scope.stream, scope.targetSchema).hash,
    }).catch(refused);
    const work: WorkSettings = {
      applicationName: holderName(scope, token, runId),
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
      lockTimeoutMs: options.lockTimeoutMs,
      statementTimeoutMs: options.statementTimeoutMs,
      connectionCheck: await checkable,
    };
    const settled = session.query(workSettingsSql(work));
    const reading = readHistory(session, scope);
    reading.catch(() => undefined);
    await settled;
    emit({ type: "lock.acquired", target, token, waitedMs });
    const snapshot = await reading;
    const key = lockKey(scope);
    const writer = new HistoryWriter({
      session,
      scope,
      fence: { key, token, owner: runId },
      backend: { pid: facts.backendPid, start: facts.backendStart },
      toolVersion: options.run.toolVersion,
      logSeq,
      lastAppliedSeq: snapshot.rows.reduce((highest, row) => Math.max(highest, row.appliedSeq ?? 0), 0),
    });
    watch = new StatementWatch({
      settings: session.settings,
      applicationName: "godwit watch",
      pid: facts.backendPid,
    });
    const context: ExecutionContext = {
      session,
      writer,
      work,
      emit,
      target,
      stream: scope.stream,
      runId,
      signal,
      watch,
      slowStatements: [],
      messages: [],
      searchPath: options.searchPath,
      lockRetryMs: options.lockRetryMs,
    };
    await recordStart(writer, scope, options.run, token, terminated).catch(refused);
    return await recordEnd(context, scope, options.run, () => body({ context, snapshot }));
  } finally {
    await watch?.close();
    await session.cleanup(() => giveBack(session, scope)).catch(() => undefined);
  }
}

/** Leaves the session as it was before: others may hold the lock while it goes on with something else. */
async function giveBack(session: Session, scope: HistoryScope): Promise<void> {
  const rolledBack = session.query("ROLLBACK");
  const plain = session.query(NO_HOLDER_ANY_MORE);
  const released = releaseAdvisoryLock(session, scope);
  await Promise.allSettled([rolledBack, plain, released]);
}

async function recordStart(
  writer: HistoryWriter,
  scope: HistoryScope,
  run: RunRecord,
  token: number,
  terminated: number[],
): Promise<void> {
  const log = [
    {
      level: "info",
      event: "lock.acquired",
      migrationId: null,
      message: `${run.command} holds the lock`,
      details: { token, command: run.command, host: run.host, terminated_backends: terminated },
    },
  ] as const;
  await writer.write({ log, statements: [runStartedSql(scope.schema, run)] });
}

/** Writes the outcome of the run; a failure to do so must not hide the one that ended it. */
async function recordEnd<T>(
  context: ExecutionContext,
  scope: HistoryScope,
  run: RunRecord,
  body: () => Promise<T>,
): Promise<T> {
  const finish = (outcome: "completed" | "failed" | "interrupted"): Promise<unknown> =>
    context.session.cleanup(() =>
      context.writer.write({
        log: [
          {
            level: outcome === "completed" ? "info" : "warning",
            event: "lock.released",
            migrationId: null,
            message: `${run.command} ${outcome}`,
            details: { outcome, slow_statements: context.slowStatements },
          },
        ],
        statements: [runFinishedSql(scope.schema, run.runId, outcome), context.writer.gaveBack()],
      }),
    );
  try {
    const result = await body();
    await finish("completed");
    return result;
  } catch (error) {
    await finish(context.signal?.aborted === true ? "interrupted" : "failed").catch(() => undefined);
    throw error;
  }
}

/**
 * The lock, the settings and the transaction live in the session, so it must be our own (law 10).
 * @throws GodwitError POOLER_NEEDS_DIRECT_URL.
 */
export function assertOwnSession(facts: ServerFacts): void {
  if (!facts.pooled) return;
  throw new GodwitError(
    "POOLER_NEEDS_DIRECT_URL",
    "the connection goes through a pooler, which hands sessions to others between transactions",
    {
      hint: "name the server itself: direct_url in the configuration, or --direct-url postgresql://user@server:5432/database",
    },
  );
}
