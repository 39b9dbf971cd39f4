import { monotonicMs } from "../core/clock.ts";
import type { Notice, StatementResult } from "../postgres/session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import type { ExecutionContext } from "./context.ts";
import type { StatementOutcome } from "./log-entries.ts";
import { settingsAfter } from "./settings-after.ts";
import { emitFinished, emitStarted, subject, watched } from "./statement-events.ts";

/** Statements that are on their way to the server at once; enough to hide the network, little enough for memory. */
export const PIPELINE_DEPTH = 32;

/** The statement that failed, so that the caller can show its place. */
export class StatementFailure extends Error {
  readonly statement: Statement;
  constructor(statement: Statement, cause: unknown) {
    super("a statement failed", { cause });
    this.statement = statement;
  }
}

/**
 * Statements of one transaction, several under way at once: that is safe, since each fails by itself once an earlier
 * one has aborted the transaction. The first ones are sent when the pipeline is made, the others as results come in.
 */
export class StatementPipeline {
  readonly #context: ExecutionContext;
  readonly #planned: PlannedMigration;
  readonly #statements: readonly Statement[];
  readonly #sent: Promise<StatementResult>[] = [];

  constructor(context: ExecutionContext, planned: PlannedMigration, statements: readonly Statement[]) {
    this.#context = context;
    this.#planned = planned;
    this.#statements = statements;
    for (let depth = 0; depth < PIPELINE_DEPTH; depth++) this.#sendNext();
  }

  /**
   * Waits for every statement in turn, tells of each and measures it.
   * @throws StatementFailure with the server's error as cause, once nothing is under way any more.
   */
  async results(): Promise<StatementOutcome[]> {
    const planned = this.#planned;
    const outcomes: StatementOutcome[] = [];
    let started = monotonicMs();
    for (const [index, statement] of this.#statements.entries()) {
      emitStarted(this.#context, planned, statement, false);
      let result: StatementResult;
      try {
        result = await watched(this.#context, planned, statement, () => this.#sent[index]!);
      } catch (error) {
        await this.settled();
        throw new StatementFailure(statement, error);
      }
      this.#sendNext();
      const ended = monotonicMs();
      const outcome = { statement, durationMs: ended - started, rows: result.rowCount };
      outcomes.push(outcome);
      emitFinished(this.#context, planned, outcome);
      started = ended;
    }
    return outcomes;
  }

  /** As `results`, once what was sent in front of the statements, BEGIN above all, is known to have been done. */
  async resultsBehind(begun: Promise<unknown>): Promise<StatementOutcome[]> {
    try {
      await begun;
    } catch (error) {
      await this.settled();
      throw error;
    }
    return this.results();
  }

  /** Waits until nothing is under way, whatever came of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#sent);
  }

  #sendNext(): void {
    const next = this.#statements[this.#sent.length];
    if (next === undefined) return;
    const tell = (notice: Notice): void =>
      this.#context.emit({ type: "notice", ...subject(this.#context, this.#planned), ...notice });
    const running = this.#context.session.query(next.sql, undefined, tell);
    running.catch(() => undefined);
    this.#sent.push(running);
    const settings = settingsAfter(this.#context, this.#planned, next);
    if (settings !== null) this.#context.session.query(settings).catch(() => undefined);
  }
}
