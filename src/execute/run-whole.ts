import { sessionResetSql } from "../postgres/work-session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { runCode } from "./code-migration.ts";
import type { ExecutionContext } from "./context.ts";
import type { StatementOutcome } from "./log-entries.ts";
import { finishedChange } from "./records.ts";
import { StatementPipeline } from "./statement-pipeline.ts";
import { beginSql, inTransaction } from "./transaction.ts";

/** Whether one transaction does all of a migration, so that it commits with its history and needs no ledger. */
export function isWhole(planned: PlannedMigration): boolean {
  const [only, ...rest] = planned.steps;
  if (planned.resume !== null || rest.length > 0) return false;
  return only === undefined || only.kind === "transaction" || (only.kind === "code" && only.transaction);
}

/** A transaction on its way to the server: call it for the results. */
type UnderWay = () => Promise<StatementOutcome[]>;

/**
 * Runs migrations that are one transaction each. The session's reset, BEGIN and the first statements of the next one are sent
 * right behind COMMIT, without waiting for its answer; a guard in front of them makes the server refuse all of it if
 * that commit fails. So every migration costs one wait for the network instead of three.
 */
export class WholeRunner {
  readonly #context: ExecutionContext;
  #underWay: { readonly planned: PlannedMigration; readonly results: UnderWay } | null = null;
  #reset: Promise<unknown> = Promise.resolve();

  constructor(context: ExecutionContext) {
    this.#context = context;
  }

  /**
   * @param next the migration after this one; null: none, or one of another kind.
   * @throws as `inTransaction`; then nothing is under way any more.
   */
  async run(
    planned: PlannedMigration,
    next: PlannedMigration | null,
    started: number,
  ): Promise<StatementOutcome[]> {
    const underWay = this.#underWay?.planned === planned ? this.#underWay.results : null;
    this.#underWay = null;
    try {
      return await inTransaction(this.#context, planned, {
        start: () => this.#begin(planned, beginSql(this.#context, planned)),
        underWay,
        change: (results) =>
          finishedChange(this.#context.writer, planned, results, performance.now() - started, true),
        onCommitting: () => {
          this.resetSession();
          if (next === null || !maySendAhead(next)) return;
          const guarded = `${beginSql(this.#context, next)}; ${this.#context.writer.assertCommittedSql()}`;
          this.#underWay = { planned: next, results: this.#begin(next, guarded) };
        },
      });
    } catch (error) {
      this.#underWay = null;
      throw error;
    }
  }

  /**
   * Sends the session's reset. As a message of its own: in one with BEGIN it would belong to the next transaction, and be
   * undone when that is rolled back (manual 54.2.2.1).
   */
  resetSession(): void {
    this.#reset = this.#context.session.query(sessionResetSql(this.#context.work));
    this.#reset.catch(() => undefined);
  }

  /** Waits for the reset, unless the next migration, which is under way, does. What it throws is no failure of a migration. */
  async ready(): Promise<void> {
    if (this.#underWay === null) await this.#reset;
  }

  /** Takes back what was sent ahead for a migration that shall not run after all. */
  async abandon(): Promise<void> {
    if (this.#underWay === null) return;
    this.#underWay = null;
    await this.#context.session.cleanup(() => this.#context.session.query("ROLLBACK"));
  }

  #begin(planned: PlannedMigration, begin: string): UnderWay {
    const begun = Promise.all([this.#reset, this.#context.session.query(begin)]);
    begun.catch(() => undefined);
    const step = planned.steps[0];
    if (step?.kind !== "transaction") {
      return async () => {
        await begun;
        if (step?.kind === "code") await runCode(this.#context, planned);
        return [];
      };
    }
    const pipeline = new StatementPipeline(this.#context, planned, step.statements);
    return async () => {
      try {
        await begun;
      } catch (error) {
        await pipeline.settled();
        throw error;
      }
      return pipeline.results();
    };
  }
}

/** SET TRANSACTION must be the first query of its transaction, which it is not behind the guard. */
function maySendAhead(next: PlannedMigration): boolean {
  const [step] = next.steps;
  if (!isWhole(next) || step?.kind !== "transaction") return false;
  return !step.statements.some(({ tag, sql }) => tag === "SET" && /transaction/i.test(sql));
}
