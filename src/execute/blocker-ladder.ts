import { monotonicMs } from "../core/clock.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { isRetryableInTransaction, SQLSTATE } from "../postgres/sqlstate.ts";
import { ident } from "../sql/quote.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { actSql, lookWhoBlocks, lookWhoHolds } from "./blocker-look.ts";
import type { Blocker, HeldLocks, InTheWay } from "./blocker-look.ts";
import type { ExecutionContext } from "./context.ts";
import { blockerEntry } from "./log-entries.ts";
import { subject } from "./statement-events.ts";
import { StatementFailure } from "./statement-pipeline.ts";

const LOOK_EVERY_MS = 250;
/** Who was cancelled or ended is gone by then. */
const GONE_MS = 50;
/** A session of an application is idle in its transaction for moments between two statements; from here on it stands still. */
const STANDS_STILL_MS = 1000;

type Act = "cancel" | "terminate";

/**
 * Cancels, then ends sessions that keep a piece of work from a lock for longer than the user allows (off by default). Only those
 * that hold a conflicting lock, and stand idle in their transaction or have it open for that long; never those of superusers, of
 * replication, of autovacuum or of Godwit, nor a prepared transaction: these are only told of.
 */
export class BlockerLadder {
  readonly #context: ExecutionContext;
  readonly #planned: PlannedMigration;
  /** Since when the lock cannot be had, over all attempts, the work before it left out; null: it can, as far as is known. */
  #blockedSince: number | null = null;
  /** What was done or told already: each act is done once for each transaction of a session. */
  readonly #done = new Set<string>();

  constructor(context: ExecutionContext, planned: PlannedMigration) {
    this.#context = context;
    this.#planned = planned;
  }

  /**
   * Acts on who holds what is wanted, while the work stays out of the queue. What cannot be seen is no reason to fail the work.
   * @returns in how many milliseconds to come again at the latest; null: there is nothing that is to be done.
   */
  async outside(held: HeldLocks): Promise<number | null> {
    const rungs = this.#rungs();
    if (rungs.length === 0) return null;
    this.#blockedSince ??= monotonicMs();
    const { second, watched } = this.#context.courtesy;
    const before = this.#done.size;
    try {
      const blockedMs = monotonicMs() - this.#blockedSince;
      const blockers = await lookWhoHolds(second, watched, held);
      for (const blocker of blockers)
        await this.#climb(blocker, { kind: "holds", value: held.locks }, blockedMs);
    } catch {
      // Seen again with the next look.
    }
    return this.#done.size > before ? GONE_MS : Math.min(LOOK_EVERY_MS, ...rungs);
  }

  /** Runs an attempt; who is in its way is acted on while it waits. @throws what the attempt throws. */
  async during<T>(attempt: () => Promise<T>): Promise<T> {
    const rungs = this.#rungs();
    if (rungs.length === 0) return attempt();
    const carried = this.#blockedSince;
    const began = monotonicMs();
    const { lockTimeoutMs } = this.#planned;
    const pause = Math.min(LOOK_EVERY_MS, ...rungs, ...(lockTimeoutMs > 0 ? [lockTimeoutMs / 2] : []));
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    let looking: Promise<void> = Promise.resolve();
    const look = async (): Promise<void> => {
      looking = this.#look(carried, began);
      await looking;
      if (!over) timer = setTimeout(() => void look(), pause);
    };
    timer = setTimeout(() => void look(), pause);
    try {
      return await attempt();
    } catch (error) {
      const cause = error instanceof StatementFailure ? error.cause : error;
      // A longer wait has been seen.
      const waitedMs = Math.min(pause, monotonicMs() - began);
      if (isRetryableInTransaction(sqlstateOf(cause))) this.#blockedSince ??= monotonicMs() - waitedMs;
      throw error;
    } finally {
      over = true;
      clearTimeout(timer);
      await looking;
    }
  }

  /**
   * A look that fails is no reason to fail the work: the next one tells more.
   * @param carried since when it could not be had at the beginning of the attempt.
   */
  async #look(carried: number | null, began: number): Promise<void> {
    const { second, watched } = this.#context.courtesy;
    try {
      const sight = await lookWhoBlocks(second, watched);
      const now = monotonicMs();
      const worked = Math.max(0, now - began - (sight?.waitedMs ?? 0));
      this.#blockedSince = carried === null ? now - (sight?.waitedMs ?? 0) : carried + worked;
      if (sight === null) {
        if (carried === null) this.#blockedSince = null;
        return;
      }
      const way = { kind: "blocks", value: String(watched.pid) } as const;
      for (const blocker of sight.blockers) await this.#climb(blocker, way, now - this.#blockedSince);
    } catch {
      // Seen again with the next look.
    }
  }

  /** Does the strongest act that is due. */
  async #climb(blocker: Blocker, way: InTheWay, blockedMs: number): Promise<void> {
    if (!blocker.holds && blocker.pid !== 0) return;
    const { cancelBlockersAfterMs, terminateBlockersAfterMs } = this.#context.courtesy.settings;
    const due = (["terminate", "cancel"] as const).filter((act) => {
      const afterMs = act === "cancel" ? cancelBlockersAfterMs : terminateBlockersAfterMs;
      return afterMs > 0 && blockedMs >= afterMs;
    });
    if (due.length === 0) return;
    const spared = whySpared(blocker);
    if (spared !== null) return this.#tellOnce(blocker, `it is ${spared}`, null);
    if (blocker.state === null || blocker.started === "") {
      return this.#tellOnce(blocker, "this role may not see what it does", await this.#grants());
    }
    const idle = blocker.state.startsWith("idle in transaction");
    const act = due.find((one) => {
      if (idle) return one === "terminate" && blocker.idleMs >= STANDS_STILL_MS;
      return blocker.transactionMs >= (one === "cancel" ? cancelBlockersAfterMs : terminateBlockersAfterMs);
    });
    if (act !== undefined) return this.#do(act, blocker, way, blockedMs);
    if (idle && terminateBlockersAfterMs === 0 && blocker.idleMs >= STANDS_STILL_MS) {
      const again = `godwit ${this.#planned.direction} --terminate-blockers-after ${cancelBlockersAfterMs}ms`;
      this.#tellOnce(
        blocker,
        "it is idle in its transaction, where a cancel does nothing",
        `end such sessions: ${again}`,
      );
    }
  }

  async #do(act: Act, blocker: Blocker, way: InTheWay, blockedMs: number): Promise<void> {
    const key = `${act} ${blocker.pid} ${blocker.started} ${blocker.transaction}`;
    if (this.#done.has(key)) return;
    const { courtesy, emit } = this.#context;
    try {
      const [row] = await courtesy.second.rows(actSql(act, way.kind), [
        String(blocker.pid),
        blocker.started,
        blocker.transaction,
        way.value,
      ]);
      if (row?.done !== "t") return;
    } catch (error) {
      if (sqlstateOf(error) !== SQLSTATE.insufficientPrivilege) throw error;
      return this.#tellOnce(blocker, `this role may not ${act} it`, await this.#grants());
    }
    this.#done.add(key);
    const { application, query } = blocker;
    courtesy.record(blockerEntry(this.#planned, act, blocker, blockedMs));
    emit({
      type: "blocker.signalled",
      ...subject(this.#context, this.#planned),
      act,
      pid: blocker.pid,
      application,
      query,
      blockedMs,
    });
  }

  /** After how long something is done; none: nothing ever is. */
  #rungs(): number[] {
    const { cancelBlockersAfterMs, terminateBlockersAfterMs } = this.#context.courtesy.settings;
    return [cancelBlockersAfterMs, terminateBlockersAfterMs].filter((ms) => ms > 0);
  }

  #tellOnce(blocker: Blocker, why: string, hint: string | null): void {
    const key = `spared ${blocker.pid} ${blocker.started} ${why}`;
    if (this.#done.has(key)) return;
    this.#done.add(key);
    const { emit, target } = this.#context;
    const who = blocker.pid === 0 ? "a prepared transaction" : `backend ${blocker.pid}`;
    const query = blocker.query === "" ? "" : `: ${blocker.query}`;
    const application = blocker.application === "" ? "" : ` (${blocker.application})`;
    emit({
      type: "warning",
      target,
      message: `${this.#planned.id} waits for ${who}${application}${query}; ${why}, and it is let alone`,
      hint:
        hint ??
        (blocker.pid === 0 ? "see pg_prepared_xacts; COMMIT PREPARED or ROLLBACK PREPARED ends it" : null),
    });
  }

  async #grants(): Promise<string> {
    const [row] = await this.#context.courtesy.second.rows("SELECT session_user AS role", []);
    return `as a superuser: GRANT pg_signal_backend, pg_read_all_stats TO ${ident(row?.role ?? "godwit")};`;
  }
}

/** Why a session is never acted on; null: it may be. */
function whySpared({ pid, kind, superuser, application, query }: Blocker): string | null {
  if (pid === 0) return "prepared";
  if (kind === "autovacuum worker") {
    return query.includes("(to prevent wraparound)")
      ? "autovacuum at work against the wraparound of transaction ids"
      : "autovacuum, which gives way by itself";
  }
  if (kind !== null && kind !== "client backend") return `a ${kind}`;
  if (superuser) return "a superuser's session";
  return /^godwit(\/| |$)/.test(application) ? "a session of Godwit" : null;
}
