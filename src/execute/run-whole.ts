import { sessionResetSql } from "../postgres/work-session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { literal } from "../sql/quote.ts";
import { runCode } from "./code-migration.ts";
import type { ExecutionContext } from "./context.ts";
import { statementDetails, type StatementOutcome } from "./log-entries.ts";
import { finishedChange } from "./records.ts";
import { PIPELINE_DEPTH, StatementPipeline } from "./statement-pipeline.ts";
import { beginSql, inTransaction, type UnderWay } from "./transaction.ts";

/** Plans of at least so many migrations have several of them under way at once. */
const BULK = 10;
/** So many; more bring nothing, measured. */
const AHEAD = 4;
/** From here on the time of a single statement of a bulk is worth keeping. */
const SLOW_MS = 100;

/** Whether one transaction does all of a migration, so that it commits with its history and needs no ledger. */
export function isWhole(planned: PlannedMigration): boolean {
  const [only, ...rest] = planned.steps;
  if (planned.resume !== null || rest.length > 0) return false;
  return only === undefined || only.kind === "transaction" || (only.kind === "code" && only.transaction);
}

interface LaunchOptions {
  /** Whether it is sent behind a commit and a reset whose outcome is not known yet. */
  readonly guarded: boolean;
  /** Whether COMMIT is sent along. */
  readonly committing: boolean;
  /** In place of the planned one. */
  readonly lockTimeoutMs?: number | null;
}

/** A migration on its way to the server. */
interface Flight extends UnderWay<StatementOutcome[]> {
  readonly planned: PlannedMigration;
}

/**
 * Runs migrations that are one transaction each, without waiting for the network between them. The session's reset, BEGIN and the
 * first statements of the next one are sent right behind COMMIT; a guard behind BEGIN makes the server refuse all of it if
 * that commit failed. In a bulk the entry in the history and COMMIT are sent right behind the statements as well, for
 * several migrations at once: should one fail, the server refuses its COMMIT and whatever follows.
 */
export class WholeRunner {
  readonly #context: ExecutionContext;
  readonly #bulk: boolean;
  #flights: Flight[] = [];
  #reset: Promise<unknown> = Promise.resolve();
  #resets = 0;

  /** @param total migrations of the plan. */
  constructor(context: ExecutionContext, total: number) {
    this.#context = context;
    this.#bulk = total >= BULK;
  }

  /**
   * @param upcoming the migrations behind this one.
   * @throws as `inTransaction`; then nothing is under way any more.
   */
  async run(planned: PlannedMigration, upcoming: readonly PlannedMigration[]): Promise<StatementOutcome[]> {
    const outcomes = await inTransaction(this.#context, planned, {
      underWay: this.#takeOff(planned, upcoming),
      start: (lockTimeoutMs) => this.#launch(planned, { guarded: false, committing: false, lockTimeoutMs }),
      change: (results) =>
        finishedChange(this.#context.writer, planned, results, null, this.#messagesOf(planned)),
      onCommitting: () => {
        this.resetSession();
        this.#sendAhead(upcoming.slice(0, 1), false);
      },
      onRolledBack: () => (this.#flights = []),
    });
    if (this.#bulk) this.#keepSlow(planned, outcomes);
    return outcomes;
  }

  /**
   * Sends the session's reset. As a message of its own: in one with BEGIN it would belong to the next transaction, and be
   * undone when that is rolled back (manual 54.2.2.1).
   */
  resetSession(): void {
    this.#resets += 1;
    this.#reset = this.#context.session.query(
      `${sessionResetSql(this.#context.work)}; SET godwit.resets = ${this.#mark}`,
    );
    this.#reset.catch(() => undefined);
  }

  /** The number of the last reset, as the session is to know it. */
  get #mark(): string {
    return literal(String(this.#resets));
  }

  /**
   * A statement that fails unless everything sent so far was committed and the last reset was done, which may be cancelled like
   * any other statement, and nothing of its message holds then.
   */
  #guardSql(): string {
    const done = `pg_catalog.current_setting('godwit.resets', true) IS NOT DISTINCT FROM ${this.#mark}`;
    return `SELECT 1 / (${done})::integer, ${this.#context.writer.assertCommittedSql()}`;
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
    if (!fitsInBulk(planned)) return null;
    const launched = this.#launch(planned, { guarded: false, committing: true });
    this.#sendAhead(upcoming, true);
    return launched;
  }

  #sendAhead(upcoming: readonly PlannedMigration[], committing: boolean): void {
    this.#context.session.together(() => this.#sendEach(upcoming, committing));
  }

  #sendEach(upcoming: readonly PlannedMigration[], committing: boolean): void {
    for (const next of upcoming.slice(this.#flights.length, AHEAD - 1)) {
      if (!maySendAhead(next) || (committing && !fitsInBulk(next))) break;
      if (committing) this.resetSession();
      this.#flights.push(this.#launch(next, { guarded: true, committing }));
    }
    if (committing && this.#flights.length === 0) this.resetSession();
  }

  #launch(planned: PlannedMigration, { guarded, committing, lockTimeoutMs = null }: LaunchOptions): Flight {
    const { session, writer } = this.#context;
    const begin = beginSql(this.#context, planned, lockTimeoutMs);
    const sent = session.query(guarded ? `${begin}; ${this.#guardSql()}` : begin);
    const begun = Promise.all([this.#reset, sent]);
    begun.catch(() => undefined);
    const step = planned.steps[0];
    const pipeline = new StatementPipeline(
      this.#context,
      planned,
      step?.kind === "transaction" ? step.statements : [],
    );
    const committed = committing ? writer.commitWith(finishedChange(writer, planned, null, null)) : null;
    committed?.catch(() => undefined);
    const results = async (): Promise<StatementOutcome[]> => {
      if (step?.kind !== "code") return pipeline.resultsBehind(begun);
      await begun;
      await runCode(this.#context, planned);
      return [];
    };
    return { planned, results, committed };
  }

  #messagesOf(planned: PlannedMigration): readonly string[] {
    return planned.format === "code" ? [...this.#context.messages] : [];
  }

  #keepSlow(planned: PlannedMigration, outcomes: readonly StatementOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.durationMs < SLOW_MS) continue;
      this.#context.slowStatements.push({ migration: planned.id, ...statementDetails(outcome) });
    }
  }
}

/** SET TRANSACTION must be the first query of its transaction, which it is not behind the guard. */
function maySendAhead(next: PlannedMigration): boolean {
  const [step] = next.steps;
  if (!isWhole(next) || step?.kind !== "transaction") return false;
  return !step.statements.some(({ tag, sql }) => tag === "SET" && /transaction/i.test(sql));
}

/** COMMIT can be sent along where all statements are sent at once. */
function fitsInBulk(planned: PlannedMigration): boolean {
  const [step] = planned.steps;
  return isWhole(planned) && step?.kind === "transaction" && step.statements.length <= PIPELINE_DEPTH;
}
