import { crashPoint } from "../../core/crash-points.ts";
import type { HistoryChange } from "../../history/change.ts";
import { sessionResetSql } from "../../postgres/work-session.ts";
import type { PlannedMigration } from "../../plan/types.ts";
import { ObjectLocks } from "../locks/object-locks.ts";
import type { ExecutionContext } from "../context.ts";
import { statementDetails, type StatementOutcome } from "../log-entries.ts";
import { finishedChange } from "../records.ts";
import { PlanTexts } from "../plan-texts.ts";
import { inTransaction } from "../transaction.ts";
import { courteousOf } from "./courteous-plan.ts";
import { Launcher, type Flight } from "./launcher.ts";
import { fitsInBulk, maySendAhead } from "./whole.ts";

/** Plans of at least so many migrations have several of them under way at once. */
const BULK = 10;
/** So many: what the server has to do then outlasts a collection of our garbage. More bring nothing, measured. */
const AHEAD = 16;
/** From here on the time of a single statement of a bulk is worth keeping. */
const SLOW_MS = 100;

/**
 * Runs migrations that are one transaction each, without waiting for the network between them. Each resets the session in its own
 * transaction, so that the session is as it was whether it commits or not. BEGIN and the first statements of the next one
 * are sent right behind COMMIT; a guard behind BEGIN makes the server refuse all of it if that commit failed. In a bulk the
 * entry in the history and COMMIT are sent right behind the statements as well, for several migrations at once: should
 * one fail, the server refuses its COMMIT and whatever follows.
 */
export class WholeRunner {
  readonly #context: ExecutionContext;
  readonly #bulk: boolean;
  #flights: Flight[] = [];
  #reset: Promise<unknown> = Promise.resolve();
  readonly #texts: PlanTexts;
  readonly #resetSql: string;
  readonly #launcher: Launcher;
  /** Those that others might have to queue behind: they are not sent ahead. */
  readonly #courteous: ReadonlyMap<PlannedMigration, ObjectLocks>;
  #hasForeseen = false;

  /** @param plan all migrations of the plan. */
  constructor(context: ExecutionContext, plan: readonly PlannedMigration[]) {
    this.#context = context;
    // Behind a pooler each transaction may have another session, so that none is sent behind one whose outcome is open.
    this.#bulk = plan.length >= BULK && !context.work.pooled;
    this.#texts = new PlanTexts(this.#bulk ? plan : []);
    this.#resetSql = sessionResetSql(context.work);
    this.#courteous = courteousOf(context, plan);
    this.#launcher = new Launcher({
      context,
      texts: this.#texts,
      resetSql: this.#resetSql,
      reset: () => this.#reset,
    });
  }

  /**
   * @param upcoming the migrations behind this one.
   * @throws as `inTransaction`; then nothing is under way any more.
   */
  async run(planned: PlannedMigration, upcoming: readonly PlannedMigration[]): Promise<StatementOutcome[]> {
    if (this.#bulk && !this.#hasForeseen && this.#courteous.has(planned)) {
      this.#hasForeseen = true;
      const { searchPath, session } = this.#context;
      await ObjectLocks.foresee(session, [...this.#courteous.values()], searchPath);
    }
    const outcomes = await inTransaction(this.#context, planned, {
      step: planned.steps[0],
      underWay: this.#takeOff(planned, upcoming),
      locks: this.#courteous.get(planned) ?? null,
      start: (lockTimeoutMs, takeLocks) =>
        this.#launcher.launch(planned, { behind: false, committing: false, lockTimeoutMs, takeLocks }),
      change: (results) => this.#finished(planned, results),
      onCommitting: () => this.#sendAhead(upcoming.slice(0, 1), false),
      reset: this.#resetSql,
      onRolledBack: () => {
        this.#flights = [];
        this.#texts.forget();
      },
    });
    if (this.#bulk) this.#keepSlow(planned, outcomes);
    return outcomes;
  }

  /** Sends the session's reset as a message of its own, behind a migration that is not one transaction. */
  resetSession(): void {
    this.#reset = this.#context.session.query(this.#resetSql);
    this.#reset.catch(() => undefined);
  }

  /** Waits for the reset, unless the next migration, which is under way, does. What it throws is no failure of a migration. */
  async ready(): Promise<void> {
    if (this.#flights.length === 0) await this.#reset;
  }

  /** Whether a migration was sent ahead, COMMIT included. */
  isUnderWay(planned: PlannedMigration): boolean {
    const [flight] = this.#flights;
    return flight?.planned === planned && flight.committed !== null;
  }

  /** Takes back what was sent ahead for a migration that shall not run after all. */
  async abandon(): Promise<void> {
    if (this.#flights.length === 0) return;
    this.#flights = [];
    this.#texts.forget();
    const { session, writer } = this.#context;
    await session.cleanup(() => session.query("ROLLBACK"));
    writer.forgetUncommitted();
  }

  /** What is on its way of this migration; in a bulk it is sent now, if it was not yet, and others behind it. */
  #takeOff(planned: PlannedMigration, upcoming: readonly PlannedMigration[]): Flight | null {
    const flight = this.#flights[0]?.planned === planned ? this.#flights.shift()! : null;
    if (!this.#bulk) return flight;
    if (flight !== null) {
      if (flight.committed !== null) this.#sendAhead(upcoming, true);
      return flight;
    }
    if (!fitsInBulk(planned) || this.#courteous.has(planned)) return null;
    const launched = this.#launcher.launch(planned, { behind: false, committing: true });
    this.#sendAhead(upcoming, true);
    return launched;
  }

  #sendAhead(upcoming: readonly PlannedMigration[], committing: boolean): void {
    this.#context.session.together(() => {
      if (this.#context.work.pooled) return;
      for (const next of upcoming.slice(this.#flights.length, AHEAD - 1)) {
        if (this.#courteous.has(next) || !maySendAhead(next) || (committing && !fitsInBulk(next))) break;
        this.#flights.push(this.#launcher.launch(next, { behind: true, committing }));
      }
    });
    if (committing) crashPoint("bulk.sent", upcoming[0]?.id);
  }

  #finished(planned: PlannedMigration, results: readonly StatementOutcome[]): HistoryChange {
    const { messages, writer } = this.#context;
    return finishedChange(writer, planned, results, null, planned.format === "code" ? [...messages] : []);
  }

  /** For what is sent before its outcome is known. */
  #keepSlow(planned: PlannedMigration, outcomes: readonly StatementOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.durationMs < SLOW_MS) continue;
      this.#context.slowStatements.push({ migration: planned.id, ...statementDetails(outcome) });
    }
  }
}
