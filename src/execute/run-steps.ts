import { sessionResetSql } from "../postgres/work-session.ts";
import { statementsOf } from "../plan/steps.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import { runCode } from "./code-migration.ts";
import type { ExecutionContext } from "./context.ts";
import { judgeHalfDone } from "./half-done.ts";
import { startedEntry, stepEntry, type StatementOutcome } from "./log-entries.ts";
import { finishedChange, migrationRecord, stepRecord } from "./records.ts";
import { emitFinished, emitSkipped, emitStarted, watched } from "./statement-events.ts";
import { StatementFailure, StatementPipeline } from "./statement-pipeline.ts";
import { beginSql, inTransaction } from "./transaction.ts";

/**
 * Runs a migration that cannot commit as a whole: the history says `running` first, each step has its line in the ledger,
 * written as intent before a stand-alone statement and as outcome after it (law 5). A resumed one goes on behind
 * its last finished step, with the earlier SETs of the file replayed (law 9).
 * @returns the statements that ran now.
 */
export async function runSteps(
  context: ExecutionContext,
  planned: PlannedMigration,
  started: number,
): Promise<StatementOutcome[]> {
  const { writer } = context;
  await writer.write({
    log: [startedEntry(planned)],
    migration: migrationRecord(planned, "running"),
    statements: planned.resume === null ? [writer.forgetSteps(planned.id, planned.kind)] : [],
  });
  const all: StatementOutcome[] = [];
  for (const step of planned.steps) {
    if (step.ordinal <= (planned.resume?.done ?? 0)) await replay(context, planned, step);
    else all.push(...(await runStep(context, planned, step)));
  }
  // The ledger tells how far an unfinished migration came; of a finished one the log tells all.
  const finished = finishedChange(writer, planned, all, performance.now() - started);
  await writer.write({
    ...finished,
    statements: [...finished.statements, writer.forgetSteps(planned.id, planned.kind)],
  });
  await context.session.query(sessionResetSql(context.work));
  return all;
}

async function runStep(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: PlanStep,
): Promise<StatementOutcome[]> {
  if (step.kind !== "transaction") return standAlone(context, planned, step);
  return inTransaction(context, planned, {
    start: () => {
      const begun = context.session.query(beginSql(context, planned));
      begun.catch(() => undefined);
      const pipeline = new StatementPipeline(context, step.statements);
      return () => pipeline.results(planned);
    },
    change: (outcomes) => ({
      log: [stepEntry(planned, "step.finished", step.ordinal, outcomes)],
      steps: [stepRecord(planned, step, "done")],
    }),
  });
}

/** Runs what must not be in a transaction block; on resume the catalog is asked first whether it is done. */
async function standAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: Exclude<PlanStep, { kind: "transaction" }>,
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
  await writer.write({
    log: [stepEntry(planned, "step.intended", step.ordinal)],
    steps: [stepRecord(planned, step, "intended")],
  });
  const outcomes: StatementOutcome[] = [];
  try {
    if (context.searchPath !== null) await session.query(`SET search_path = ${context.searchPath}`);
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
  return outcomes;
}

async function runAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): Promise<StatementOutcome> {
  const { session } = context;
  // A finite lock_timeout abandons CONCURRENTLY half-way and leaves an INVALID index (law 7).
  const lockTimeoutMs = /\bCONCURRENTLY\b/i.test(statement.sql) ? 0 : planned.lockTimeoutMs;
  await session.query(
    `SET lock_timeout = ${lockTimeoutMs}; SET statement_timeout = ${planned.statementTimeoutMs}`,
  );
  emitStarted(context, planned, statement, true);
  const began = performance.now();
  try {
    const result = await watched(context, planned, statement, () => session.query(statement.sql));
    const outcome = { statement, durationMs: performance.now() - began, rows: result.rowCount };
    emitFinished(context, planned, outcome);
    return outcome;
  } catch (error) {
    throw new StatementFailure(statement, error);
  }
}

/** Gives this session what a finished step's SETs gave the earlier one. */
async function replay(context: ExecutionContext, planned: PlannedMigration, step: PlanStep): Promise<void> {
  for (const statement of statementsOf(step)) {
    if (statement.sessionEffect === "set") await context.session.query(statement.sql);
    emitSkipped(context, planned, statement, "done by an earlier run");
  }
}
