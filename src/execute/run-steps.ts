import { monotonicMs } from "../core/clock.ts";
import type { HistoryChange } from "../history/writer.ts";
import { BEGIN } from "../postgres/work-session.ts";
import { statementsOf } from "../plan/steps.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import { runCode } from "./code-migration.ts";
import type { ExecutionContext } from "./context.ts";
import { judgeHalfDone } from "./half-done.ts";
import { startedEntry, stepEntry, type StatementOutcome } from "./log-entries.ts";
import { finishedChange, migrationRecord, stepRecord } from "./records.ts";
import { settingsSql } from "./settings-after.ts";
import { LockRetry } from "./lock-retry.ts";
import { letStandAlone } from "./stand-alone.ts";
import { emitFinished, emitSkipped, emitStarted, watched } from "./statement-events.ts";
import { StatementFailure, StatementPipeline } from "./statement-pipeline.ts";
import { inTransaction } from "./transaction.ts";

/** How far a migration of several steps has come. */
export interface Progress {
  /** Whether anything of it may be in the database: a step has committed, or one that stands alone was begun. */
  begun: boolean;
}

/**
 * Runs a migration that cannot commit as a whole: each step has its line in the ledger, written as intent before a
 * stand-alone statement and as outcome after it (law 5); with the first of these lines the history says `running`.
 * A resumed one goes on behind its last finished step, with the earlier SETs of the file replayed (law 9). The session's
 * settings are left as the file made them.
 * @returns the statements that ran now.
 */
export async function runSteps(
  context: ExecutionContext,
  planned: PlannedMigration,
  started: number,
  progress: Progress,
): Promise<StatementOutcome[]> {
  const { writer } = context;
  const fresh = planned.resume === null;
  await context.session.query(settingsSql(context, planned));
  await writer.write({
    log: [startedEntry(planned)],
    ...(fresh
      ? { statements: [writer.forgetSteps(planned.id, planned.kind)] }
      : { migration: migrationRecord(planned, "running") }),
  });
  const all: StatementOutcome[] = [];
  for (const step of planned.steps) {
    if (step.ordinal <= (planned.resume?.done ?? 0)) await replay(context, planned, step);
    else all.push(...(await runStep(context, planned, step, progress)));
  }
  // The ledger tells how far an unfinished migration came; of a finished one the log tells all.
  const messages = planned.format === "code" ? [...context.messages] : [];
  const finished = finishedChange(writer, planned, all, monotonicMs() - started, messages);
  await writer.write({
    ...finished,
    statements: [...finished.statements, writer.forgetSteps(planned.id, planned.kind)],
  });
  return all;
}

/** What the history is to say of the migration with the first line of its ledger. */
function opening(planned: PlannedMigration, progress: Progress): Pick<HistoryChange, "migration"> {
  return progress.begun ? {} : { migration: migrationRecord(planned, "running") };
}

async function runStep(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: PlanStep,
  progress: Progress,
): Promise<StatementOutcome[]> {
  if (step.kind !== "transaction") return standAlone(context, planned, step, progress);
  const outcomes = await inTransaction(context, planned, {
    start: (lockTimeoutMs) => {
      const limit = lockTimeoutMs === null ? "" : `; SET LOCAL lock_timeout = ${lockTimeoutMs}`;
      const begun = context.session.query(`${BEGIN}${limit}`);
      const pipeline = new StatementPipeline(context, planned, step.statements);
      return { results: () => pipeline.resultsBehind(begun), committed: null };
    },
    change: (done) => ({
      log: [stepEntry(planned, "step.finished", step.ordinal, done)],
      steps: [stepRecord(planned, step, "done")],
      ...opening(planned, progress),
    }),
  });
  progress.begun = true;
  return outcomes;
}

/** Runs what must not be in a transaction block; on resume the catalog is asked first whether it is done. */
async function standAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: Exclude<PlanStep, { kind: "transaction" }>,
  progress: Progress,
): Promise<StatementOutcome[]> {
  const { session, writer } = context;
  const { resume } = planned;
  if (resume !== null && resume.next !== null && step.ordinal === resume.done + 1) {
    const { verdict, because } = await judgeHalfDone(session, planned, step, resume.next === "failed");
    if (verdict === "done") {
      if (step.kind === "standalone") emitSkipped(context, planned, step.statement, because);
      await writer.write({
        log: [stepEntry(planned, "step.finished", step.ordinal)],
        steps: [stepRecord(planned, step, "done")],
      });
      return [];
    }
  }
  const putBack = await letStandAlone(session, kindOf(step));
  await writer.write({
    log: [stepEntry(planned, "step.intended", step.ordinal)],
    steps: [stepRecord(planned, step, "intended")],
    ...opening(planned, progress),
  });
  progress.begun = true;
  const outcomes: StatementOutcome[] = [];
  try {
    if (step.kind === "standalone") outcomes.push(await runAlone(context, planned, step.statement));
    else await runCode(context, planned);
  } catch (error) {
    // Where the connection is lost the intent stays: then the outcome is unknown.
    await session.cleanup(() =>
      writer.write({
        log: [stepEntry(planned, "step.failed", step.ordinal)],
        steps: [stepRecord(planned, step, "failed")],
      }),
    );
    throw error;
  }
  await writer.write({
    log: [stepEntry(planned, "step.finished", step.ordinal, outcomes)],
    steps: [stepRecord(planned, step, "done")],
  });
  await putBack();
  return outcomes;
}

async function runAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): Promise<StatementOutcome> {
  const { session } = context;
  emitStarted(context, planned, statement, true);
  const began = monotonicMs();
  const retry = new LockRetry(context, planned);
  for (;;) {
    try {
      if (retry.lockTimeoutMs !== null) await session.query(`SET lock_timeout = ${retry.lockTimeoutMs}`);
      const result = await retry.watched(() =>
        watched(context, planned, statement, () => session.query(statement.sql)),
      );
      const outcome = { statement, durationMs: monotonicMs() - began, rows: result.rowCount };
      emitFinished(context, planned, outcome);
      return outcome;
    } catch (error) {
      const failure = new StatementFailure(statement, error);
      if (mayLeaveSomething(statement)) throw failure;
      await retry.again(failure);
    }
  }
}

/** Whether a failed one may have had an effect: CONCURRENTLY leaves an INVALID index, and CALL and DO may have committed. */
function mayLeaveSomething(statement: Statement): boolean {
  return isConcurrent(statement) || statement.tag === "CALL" || statement.tag === "DO";
}

function kindOf(step: Exclude<PlanStep, { kind: "transaction" }>): Parameters<typeof letStandAlone>[1] {
  if (step.kind === "code") return "code";
  return isConcurrent(step.statement) ? "CONCURRENTLY" : "statement";
}

/** The reason why it stands alone names the command as the grammar read it, whatever its comments say. */
function isConcurrent(statement: Statement): boolean {
  return statement.transactionReason?.includes("CONCURRENTLY") ?? false;
}

/** Gives this session what a finished step's SETs gave the earlier one. */
async function replay(context: ExecutionContext, planned: PlannedMigration, step: PlanStep): Promise<void> {
  for (const statement of statementsOf(step)) {
    if (statement.sessionEffect === "set") await context.session.query(statement.sql);
    emitSkipped(context, planned, statement, "done by an earlier run");
  }
}
