import { hostname } from "node:os";
import { monotonicMs } from "../core/clock.ts";
import { crashPoint } from "../core/crash-points.ts";
import type { Emit } from "../core/events.ts";
import { genesis } from "../history/log-chain.ts";
import { readHistory, type HistoryScope, type HistorySnapshot } from "../history/read.ts";
import { asRefused } from "../history/refused.ts";
import type { RunRecord } from "../history/runs.ts";
import { upgradeHistory } from "../history/upgrade.ts";
import { acquireLock } from "../lock/acquire.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { proveNoEarlierSession } from "../lock/earlier-session.ts";
import { ringBell } from "../lock/bell.ts";
import type { LockGate } from "../lock/gate.ts";
import { LeaseKeeper } from "../lock/lease-keeper.ts";
import { gaveBackSql, type Claim, type Ownership } from "../lock/row.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";

/** How long the creation of the history may wait for another process that does it. */
const UPGRADE_WAIT_MS = 60_000;

export interface HeldLockOptions {
  /** Where the lock is asked for. */
  readonly session: Session;
  /** No pooler shares it with others. */
  readonly isOwn: boolean;
  /** Whether to tell those that wait once it is given back. */
  readonly rings: boolean;
  /** Where the work goes on instead; null: in the same session. */
  readonly direct: ConnectionSettings | null;
  readonly facts: ServerFacts;
  readonly scope: HistoryScope;
  readonly target: string;
  readonly run: RunRecord;
  /** Its connection is ended with the lock. */
  readonly gate: LockGate;
  /** How long a lease lasts without being renewed, in milliseconds; not for the advisory lock, which has the session. */
  readonly leaseMs: number;
  readonly lockWaitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly emit: Emit;
  /** What the history leaves to do, asked while waiting for the lock. */
  readonly look: (snapshot: HistorySnapshot) => WorkLeft;
}

/** A lock while it is held, with no session of an earlier holder left. */
export interface HeldLock extends Claim {
  /** The run id that stands in the lock's row. */
  readonly owner: string;
  readonly waitedMs: number;
  /** Backends of an earlier holder that had to be terminated. */
  readonly terminated: readonly number[];
  /** Aborted when somebody else took the lock over; null: it lasts as long as the session. */
  readonly lost: AbortSignal | null;
  /** Ends the renewals, before the row says that the lock is given back. */
  readonly settle: () => Promise<void>;
  /** To be called when the row says so. */
  readonly noteGivenBack: () => void;
}

/**
 * Takes a lock, creating or upgrading the history on the way, and proves that no session of an earlier holder is left; gives
 * the lock back when `body` is over.
 * @returns null if the wait for the lock showed that nothing is left to do.
 * @throws GodwitError LOCK_BUSY, NEEDS_REPAIR, PERMISSION_DENIED, HISTORY_TOO_NEW, HISTORY_FOREIGN and what `body` throws.
 */
export async function withHeldLock<T>(
  options: HeldLockOptions,
  body: (held: HeldLock) => Promise<T>,
): Promise<T | null> {
  const { session, scope, gate, run } = options;
  try {
    const started = monotonicMs();
    const claim = await acquire(options);
    if (claim === null) return null;
    const waitedMs = monotonicMs() - started;
    const ownership = { token: claim.token, runId: run.runId };
    const keeper =
      gate.name === "advisory"
        ? null
        : new LeaseKeeper({
            settings: session.settings,
            session: options.direct === null ? null : session,
            scope,
            gate,
            ownership,
            leaseMs: options.leaseMs,
            onTrouble: (message) =>
              options.emit({ type: "warning", target: options.target, message, hint: null }),
          });
    let givenBack = false;
    try {
      crashPoint("lock.token-raised");
      const terminated = await proveNoEarlierSession(session, scope, claim.earlier, options.signal);
      crashPoint("lock.no-earlier-session");
      return await body({
        ...claim,
        owner: run.runId,
        waitedMs,
        terminated,
        lost: keeper?.lost ?? null,
        settle: async () => keeper?.stop(),
        noteGivenBack: () => {
          givenBack = true;
        },
      });
    } finally {
      await keeper?.close();
      if (!givenBack) await giveBack(session, scope, ownership, keeper !== null);
      await gate.leave();
      if (options.rings) await ringBell(session, scope);
      crashPoint("gate.left");
    }
  } finally {
    await gate.close();
  }
}

/** A session that is gone leaves it to the next run to see that. */
async function giveBack(
  session: Session,
  scope: HistoryScope,
  ownership: Ownership,
  leftBehind: boolean,
): Promise<void> {
  const text = gaveBackSql(scope, ownership, leftBehind);
  await session.cleanup(() => session.query(text)).catch(() => undefined);
}

async function acquire(options: HeldLockOptions): Promise<Claim | null> {
  const { session, facts, scope, target, run, gate, emit } = options;
  const advisory = gate.name === "advisory";
  const acquiring = acquireLock({
    session,
    isOwn: options.isOwn,
    scope,
    gate,
    by: {
      runId: run.runId,
      host: run.host ?? hostname(),
      leaseMs: advisory ? null : options.leaseMs,
      backend: advisory ? { pid: facts.backendPid, start: facts.backendStart } : null,
      genesis: genesis(scope.stream, scope.targetSchema).hash,
    },
    waitMs: options.lockWaitMs,
    signal: options.signal,
    ensureHistory: async () => {
      const { toolVersion } = run;
      const waiting = { toolVersion, signal: options.signal, waitMs: UPGRADE_WAIT_MS };
      const upgraded = await upgradeHistory(session, scope, waiting);
      if (upgraded.from !== upgraded.to) emit({ type: "history.upgraded", target, ...upgraded });
    },
    onWaiting: (seen) => emit({ type: "lock.waiting", target, ...seen }),
    look: async () => options.look(await readHistory(session, scope)),
  });
  return acquiring.catch((error: unknown) => {
    throw asRefused(error, "write", scope.schema, facts.user);
  });
}
