import { monotonicMs } from "../core/clock.ts";
import { crashPoint } from "../core/crash-points.ts";
import type { HistoryChange } from "../history/change.ts";
import { isGodwitError } from "../core/error.ts";
import { mayCommit } from "../plan/decidable.ts";
import { statementsOf } from "../plan/steps.ts";
import { isPatientStep } from "../plan/patient-step.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import { runCode } from "./code-migration.ts";
import type { ExecutionContext } from "./context.ts";
import { TransactionCount } from "./committed-by-itself.ts";
import { CourteousWork } from "./courteous-work.ts";
import { detachmentIn, finalized } from "./half-done/detach-partition.ts";
import { readied, settleEarlier } from "./half-done/settle-earlier.ts";
import { dropLeftovers, indexesBefore, type IndexesBefore } from "./half-done/leftover-index.ts";
import { limitsOf } from "./patient.ts";
import { startedEntry, stepEntry, type StatementOutcome } from "./log-entries.ts";
import { finishedChange, migrationRecord, stepRecord } from "./records.ts";
import { settingsSql } from "./settings-after.ts";
import { ObjectLocks } from "./locks/object-locks.ts";
import { hasOwnLockTimeout } from "./locks/own-lock-timeout.ts";
import { LockRetry } from "./lock-retry.ts";
import { letStandAlone } from "./stand-alone.ts";
import { emitFinished, emitSkipped, emitStarted, subject, watched } from "./statement-events.ts";
import { StatementFailure, StatementPipeline } from "./statement-pipeline.ts";
import { beginStepSql, inTransaction, whileKeptOut } from "./transaction.ts";

/** How long dropping a left index may wait for others; less for somebody who wants the command to end. */
const DROP_WITHIN_MS = 5000;
const INTERRUPTED_MS = 1000;

/** How far a migration of several steps has come. */
export interface Progress {
  /** Whether anything of it may be in the database: a step has committed, or one that stands alone was begun. */
  begun: boolean;
  /** Whether it is known what became of what earlier runs began; until then the history keeps saying what it says. */
  settled: boolean;
  /** Whether a step reported an error and may have committed a part that nothing shows. */
  unclear: boolean;
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
  const { resume } = planned;
  await context.session.query(settingsSql(context, planned));
  const finished = resume?.done ?? 0;
  for (const step of planned.steps.slice(0, finished)) await replay(context, planned, step);
  const isNextDone = await settleEarlier(context, planned);
  if (resume !== null && resume.begun !== null) crashPoint("standalone.judged", planned.id);
  progress.settled = true;
  await writer.write({
    log: [startedEntry(planned)],
    ...(resume === null
      ? { statements: [writer.statements.forgetSteps(planned.id, planned.kind)] }
      : {
          migration: migrationRecord(planned, "running"),
          ...(resume.begun === null || resume.begun.isNext
            ? {}
            : { statements: [writer.statements.forgetStep({ ...planned, ordinal: resume.begun.ordinal })] }),
        }),
  });
  const all: StatementOutcome[] = [];
  for (const step of planned.steps.slice(finished + (isNextDone ? 1 : 0)))
    all.push(...(await runStep(context, planned, step, progress)));
  crashPoint("steps.done", planned.id);
  // The ledger tells how far an unfinished migration came; of a finished one the log tells all.
  const messages = planned.format === "code" ? [...context.messages] : [];
  const change = finishedChange(writer, planned, all, monotonicMs() - started, messages);
  await writer.write({
    ...change,
    statements: [...change.statements, writer.statements.forgetSteps(planned.id, planned.kind)],
  });
  crashPoint("steps.completed", planned.id);
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
    step,
    locks: isPatientStep(step)
      ? null
      : ObjectLocks.of(context, planned, step.statements, {
          searchPath: null,
          comparesFirst: planned.tolerateExisting,
          hasOwnTimeout: hasOwnLockTimeout(planned, step),
        }),
    start: (lockTimeoutMs, takeLocks) => {
      const begin = beginStepSql(context, planned, step, lockTimeoutMs);
      const begun = context.session.query(`${begin}${takeLocks}`);
      if (planned.tolerateExisting) {
        const results = async (): Promise<StatementOutcome[]> => {
          await begun;
          const { runTolerantly } = await import("./tolerate/tolerate.ts");
          return runTolerantly(context, planned, step.statements);
        };
        return { results, committed: null };
      }
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

/** Runs what must not be in a transaction block. */
async function standAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: Exclude<PlanStep, { kind: "transaction" }>,
  progress: Progress,
): Promise<StatementOutcome[]> {
  const { session, writer } = context;
  const before = step.kind === "standalone" ? await readied(context, planned, step.statement) : null;
  if (before?.done !== undefined) {
    emitSkipped(context, planned, before.statement, before.done);
    await writer.write({
      log: [stepEntry(planned, "step.finished", step.ordinal)],
      steps: [stepRecord(planned, step, "done")],
      ...opening(planned, progress),
    });
    progress.begun = true;
    return [];
  }
  const leftovers = step.kind === "standalone" ? await indexesBefore(session, step.statement) : null;
  crashPoint("standalone.before-intent", planned.id);
  const putBack = await letStandAlone(session, {
    limits: isPatientStep(step) ? limitsOf(context, planned, step) : null,
    isCode: step.kind === "code",
  });
  await writer.write({
    log: [stepEntry(planned, "step.intended", step.ordinal, [], before?.note)],
    steps: [stepRecord(planned, step, "intended")],
    ...opening(planned, progress),
  });
  progress.begun = true;
  crashPoint("standalone.intended", planned.id);
  const outcomes: StatementOutcome[] = [];
  const failure: Failure = { state: "failed" };
  try {
    if (step.kind === "standalone") outcomes.push(await runAlone(context, planned, step, failure));
    else await runCodeAlone(context, planned, step, failure);
  } catch (error) {
    progress.unclear = failure.state === "unknown";
    if (leftovers !== null) await session.cleanup(() => clearAway(context, planned, leftovers));
    // Where the connection is lost the intent stays: then the outcome is unknown.
    await session.cleanup(() =>
      writer.write({
        log: [stepEntry(planned, "step.failed", step.ordinal)],
        steps: [stepRecord(planned, step, failure.state)],
      }),
    );
    throw error;
  }
  crashPoint("standalone.done", planned.id);
  await writer.write({
    log: [stepEntry(planned, "step.finished", step.ordinal, outcomes)],
    steps: [stepRecord(planned, step, "done")],
  });
  await context.courtesy.writeActs(writer);
  crashPoint("standalone.recorded", planned.id);
  await putBack();
  return outcomes;
}

/** What the ledger is to say of a step that failed: whether it may have committed a part that the catalog does not show. */
interface Failure {
  state: "failed" | "unknown";
}

async function runAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: Extract<PlanStep, { kind: "standalone" }>,
  failed: Failure,
): Promise<StatementOutcome> {
  const { session } = context;
  const { statement } = step;
  emitStarted(context, planned, statement, true);
  if (planned.tolerateExisting) {
    const { toleratedAlone } = await import("./tolerate/tolerate.ts");
    const there = await toleratedAlone(context, planned, statement);
    if (there !== null) return there;
  }
  const began = monotonicMs();
  const retry = new LockRetry(context, planned);
  const detachment = await detachmentIn(statement);
  const guard = new CourteousWork(context, planned, step, detachment !== null);
  const locks = statement.patient
    ? null
    : ObjectLocks.of(context, planned, [statement], {
        searchPath: null,
        hasOwnTimeout: hasOwnLockTimeout(planned, step),
      });
  for (;;) {
    await locks?.untilClear(retry.deadline, whileKeptOut(retry, guard));
    const limit = statement.patient ? null : (retry.lockTimeoutMs ?? locks?.standAloneMs ?? null);
    if (limit !== null) await session.query(`SET lock_timeout = ${limit}`);
    const count = mayCommit(statement) ? await TransactionCount.begin(session) : null;
    failed.state = count === null ? "failed" : "unknown";
    try {
      const running = guard.run(() =>
        retry.watched(() => watched(context, planned, statement, () => session.query(statement.sql))),
      );
      crashPoint("standalone.under-way", planned.id);
      const result = await running;
      const outcome = { statement, durationMs: monotonicMs() - began, rows: result.rowCount };
      emitFinished(context, planned, outcome);
      return outcome;
    } catch (error) {
      const failure = await guard.judge(new StatementFailure(statement, error));
      if (await count?.wasOnly(1)) failed.state = "failed";
      const yielded = detachment !== null && isGodwitError(failure, "BLOCKED_OTHERS");
      if (yielded && (await finalized({ context, planned, statement }, detachment))) {
        const outcome = { statement, durationMs: monotonicMs() - began, rows: null };
        emitFinished(context, planned, outcome);
        return outcome;
      }
      // An INVALID index and the like must be cleared away first, by the next run.
      if (failed.state === "unknown" || statement.patient) throw failure;
      await retry.again(failure, locks?.tables ?? null);
    }
  }
}

/** Where each query commits by itself: as long as the server has refused all of them nothing has been done. */
async function runCodeAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  step: PlanStep,
  failed: Failure,
): Promise<void> {
  const guard = new CourteousWork(context, planned, step);
  const count = await TransactionCount.begin(context.session);
  let sent = { answered: 0, refused: 0 };
  failed.state = "unknown";
  try {
    await guard.run(() => runCode(context, planned, (all) => (sent = all)));
  } catch (error) {
    const { answered, refused } = sent;
    if (answered === refused && (await count.wasOnly(refused))) failed.state = "failed";
    throw await guard.judge(error);
  }
}

/** Drops what a failed CONCURRENTLY has left while it is known whose it is, and tells of it. */
async function clearAway(
  context: ExecutionContext,
  planned: PlannedMigration,
  before: IndexesBefore,
): Promise<void> {
  const withinMs = context.signal?.aborted === true ? INTERRUPTED_MS : DROP_WITHIN_MS;
  const { dropped, left } = await dropLeftovers(context.session, before, withinMs);
  const tell = (message: string): void =>
    context.emit({ type: "notice", ...subject(context, planned), severity: "NOTICE", message });
  for (const name of dropped) tell(`index ${name} was left INVALID and has been dropped`);
  for (const name of left) tell(`index ${name} was left INVALID; the next run drops it`);
}

/** Gives this session what a finished step's SETs gave the earlier one. */
async function replay(context: ExecutionContext, planned: PlannedMigration, step: PlanStep): Promise<void> {
  for (const statement of statementsOf(step)) {
    if (statement.sessionEffect === "set") await context.session.query(statement.sql);
    emitSkipped(context, planned, statement, "done by an earlier run");
  }
}
