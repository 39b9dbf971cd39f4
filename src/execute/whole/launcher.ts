import type { HistoryChange } from "../../history/change.ts";
import type { PlannedMigration, PlanStep } from "../../plan/types.ts";
import { runCode } from "../code-migration.ts";
import type { ExecutionContext } from "../context.ts";
import type { StatementOutcome } from "../log-entries.ts";
import type { PlanTexts } from "../plan-texts.ts";
import { finishedChange } from "../records.ts";
import { emitFinished, emitStarted, subject } from "../statement-events.ts";
import { StatementPipeline } from "../statement-pipeline.ts";
import { beginSql, type UnderWay } from "../transaction.ts";
import { TIME, timedOutcomes } from "./timed-message.ts";
import { isQuick } from "./whole.ts";

export interface LaunchOptions {
  /** Whether it is sent behind a commit whose outcome is not known yet. */
  readonly behind: boolean;
  /** Whether COMMIT is sent along. */
  readonly committing: boolean;
  /** In place of the planned one. */
  readonly lockTimeoutMs?: number | null;
  /** What to send right behind BEGIN. */
  readonly takeLocks?: string;
}

/** A migration on its way to the server. */
export interface Flight extends UnderWay<StatementOutcome[]> {
  readonly planned: PlannedMigration;
}

export interface LauncherOptions {
  readonly context: ExecutionContext;
  readonly texts: PlanTexts;
  readonly resetSql: string;
  /** The reset that is under way. */
  readonly reset: () => Promise<unknown>;
}

/** Sends migrations that are one transaction each to the server. */
export class Launcher {
  readonly #options: LauncherOptions;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Sends BEGIN, the statements as far as they go at once, and COMMIT where it is sent along; does not wait. */
  launch(
    planned: PlannedMigration,
    { behind, committing, lockTimeoutMs = null, takeLocks = "" }: LaunchOptions,
  ): Flight {
    const { session, writer } = this.#options.context;
    const guard = behind ? [writer.committedSql()] : [];
    if (committing && isQuick(planned)) return this.#launchInOneMessage(planned, guard);
    const begin = beginSql(this.#options.context, planned, { select: guard, lockTimeoutMs, takeLocks });
    if (this.#options.context.work.pooled) return this.#launchPooled(planned, begin);
    const begun = Promise.all([this.#options.reset(), session.query(begin)]);
    begun.catch(() => undefined);
    const step = planned.steps[0];
    const statements = step?.kind === "transaction" ? step.statements : [];
    const pipeline = planned.tolerateExisting
      ? null
      : new StatementPipeline(this.#options.context, planned, statements);
    const committed = committing
      ? writer.commitWith(this.#finishedInBulk(planned), { reset: this.#options.resetSql })
      : null;
    committed?.catch(() => undefined);
    const results = async (): Promise<StatementOutcome[]> => {
      if (pipeline !== null && step?.kind !== "code") return pipeline.resultsBehind(begun);
      await begun;
      if (pipeline === null) {
        const { runTolerantly } = await import("../tolerate/tolerate.ts");
        return runTolerantly(this.#options.context, planned, statements);
      }
      await runCode(this.#options.context, planned);
      return [];
    };
    return { planned, results, committed };
  }

  /**
   * Waits for BEGIN before it sends more: a session that is not ours cannot be made to refuse what comes outside of a
   * transaction.
   */
  #launchPooled(planned: PlannedMigration, begin: string): Flight {
    const { session, watch } = this.#options.context;
    const step = planned.steps[0];
    const results = async (): Promise<StatementOutcome[]> => {
      const began = await session.results(begin);
      const own = began.flatMap(({ rows }) => rows).find((row) => row.godwit_pid !== undefined);
      watch.aimAt({ pid: Number(own?.godwit_pid), start: own?.godwit_start ?? null });
      if (step?.kind === "transaction") {
        if (!planned.tolerateExisting) {
          return new StatementPipeline(this.#options.context, planned, step.statements).results();
        }
        const { runTolerantly } = await import("../tolerate/tolerate.ts");
        return runTolerantly(this.#options.context, planned, step.statements);
      }
      if (step !== undefined) await runCode(this.#options.context, planned);
      return [];
    };
    return { planned, results, committed: null };
  }

  /**
   * The whole transaction as one message, which spares the server an answer for each statement. The times at which they ended are
   * asked for in between; while it runs nobody can tell which statement runs, so that this is for quick ones alone.
   */
  #launchInOneMessage(planned: PlannedMigration, guard: readonly string[]): Flight {
    const { emit, writer } = this.#options.context;
    const { statements } = planned.steps[0] as Extract<PlanStep, { kind: "transaction" }>;
    const begin = beginSql(this.#options.context, planned, { select: [...guard, TIME], lockTimeoutMs: null });
    const timed = statements.map(({ sql }) => `${sql}\n`).join(`; SELECT ${TIME}; `);
    const all = writer.commitWith(this.#finishedInBulk(planned), {
      before: `${begin}; ${timed}; SELECT ${TIME}; `,
      reset: this.#options.resetSql,
      // Others are on their way as well, so that each must tell its own.
      onNotice: (notice) => emit({ type: "notice", ...subject(this.#options.context, planned), ...notice }),
    });
    all.catch(() => undefined);
    const results = async (): Promise<StatementOutcome[]> => {
      await this.#options.reset();
      return timedOutcomes(statements, await all).map((outcome) => {
        emitStarted(this.#options.context, planned, outcome.statement, false);
        emitFinished(this.#options.context, planned, outcome);
        return outcome;
      });
    };
    return { planned, results, committed: all, inOneMessage: true };
  }

  #finishedInBulk(planned: PlannedMigration): HistoryChange {
    const { writer } = this.#options.context;
    return this.#options.texts.storeAllAtOnce(finishedChange(writer, planned, null, null), writer);
  }
}
