import { monotonicMs } from "../core/clock.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { abortReason } from "../core/interrupt.ts";
import type { MigrationKind } from "../migrations/types.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { sessionResetSql } from "../postgres/work-session.ts";
import { statementsOf } from "../plan/steps.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";
import type { StatementOutcome } from "./log-entries.ts";
import { failedChange, type FailureLeft } from "./records.ts";
import { runSteps, type Progress } from "./run-steps.ts";
import { isWhole } from "./whole/whole.ts";
import { type WholeRunner } from "./whole/run-whole.ts";
import { toCodeError } from "./code-migration.ts";
import { toMigrationError } from "./sql-error.ts";
import { subject } from "./statement-events.ts";
import { StatementFailure } from "./statement-pipeline.ts";

/** How one migration went. */
export interface MigrationOutcome {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly durationMs: number;
  readonly statements: number;
  /** Objects that were there already and equal what the migration makes. */
  readonly tolerated: readonly string[];
}

/**
 * Thrown, with its step rolled back, when the server refuses a statement inside a transaction block although neither
 * grammar nor catalog told: the caller plans the migration anew with this statement standing alone.
 */
export class MustStandAlone extends Error {
  readonly migrationId: string;
  readonly ordinal: number;
  /** Steps before the one that it stood in; they are done. */
  readonly done: number;
  constructor(migrationId: string, ordinal: number, done: number) {
    super(`statement ${ordinal} of ${migrationId} must stand alone`);
    this.migrationId = migrationId;
    this.ordinal = ordinal;
    this.done = done;
  }
}

/** Position of a migration in its plan. */
export interface Place {
  /** From 1. */
  readonly index: number;
  readonly total: number;
}

/**
 * Runs one migration and its history. A single transaction commits both at once; anything else goes through the ledger.
 * A failure is rolled back, recorded and thrown.
 * @param upcoming the ones after it in the plan.
 * @throws GodwitError MIGRATION_FAILED, OBJECT_LOCK_TIMEOUT, PERMISSION_DENIED, CONNECTION_LOST, LOCK_LOST, NEEDS_REPAIR or the
 *   signal's reason; MustStandAlone.
 */
export async function runMigration(
  context: ExecutionContext,
  runner: WholeRunner,
  planned: PlannedMigration,
  upcoming: readonly PlannedMigration[],
  place: Place,
): Promise<MigrationOutcome> {
  const { emit, session } = context;
  const { id, kind } = planned;
  const started = monotonicMs();
  session.onNotice = (notice) => emit({ type: "notice", ...subject(context, planned), ...notice });
  emit({
    type: "migration.started",
    ...subject(context, planned),
    ...place,
    description: planned.description,
    statements: planned.steps.reduce((sum, step) => sum + countStatements(step), 0),
    retry: planned.reason === "failed before" || planned.reason === "half applied",
    resumes: (planned.resume?.done ?? 0) > 0,
  });
  const whole = isWhole(planned);
  const progress: Progress = {
    begun: planned.resume !== null,
    settled: planned.resume === null,
    unclear: false,
  };
  let outcomes: StatementOutcome[];
  try {
    outcomes = whole
      ? await runner.run(planned, upcoming)
      : await runSteps(context, planned, started, progress);
  } catch (failure) {
    const rolledBack = !progress.begun;
    const error = await settleFailure(context, planned, failure, { ...progress, rolledBack });
    emit({
      type: "migration.failed",
      ...subject(context, planned),
      error,
      rolledBack,
      durationMs: monotonicMs() - started,
    });
    throw error;
  } finally {
    session.onNotice = undefined;
  }
  if (!whole) runner.resetSession();
  const durationMs = monotonicMs() - started;
  emit({
    type: "migration.finished",
    ...subject(context, planned),
    ...place,
    durationMs,
    statements: outcomes.length,
  });
  const tolerated = outcomes.flatMap((outcome) => outcome.tolerated ?? []);
  return { id, kind, durationMs, statements: outcomes.length, tolerated };
}

async function settleFailure(
  context: ExecutionContext,
  planned: PlannedMigration,
  failure: unknown,
  left: FailureLeft & Pick<Progress, "unclear">,
): Promise<GodwitError> {
  const statement = failure instanceof StatementFailure ? failure.statement : null;
  const cause = failure instanceof StatementFailure ? failure.cause : failure;
  const step = planned.steps.find((one) => statement !== null && statementsOf(one).includes(statement));
  if (
    context.signal?.aborted !== true &&
    statement !== null &&
    step?.kind === "transaction" &&
    sqlstateOf(cause) === SQLSTATE.activeSqlTransaction &&
    // SET TRANSACTION comes too late there; alone it would do nothing.
    statement.tag !== "SET"
  ) {
    await context.session.query(sessionResetSql(context.work));
    throw new MustStandAlone(planned.id, statement.ordinal, step.ordinal - 1);
  }
  const known =
    context.signal?.aborted === true
      ? abortReason(context.signal)
      : planned.format === "code"
        ? await toCodeError(cause, planned, context.watch.lastBlockers)
        : toMigrationError(cause, planned, statement, context.watch.lastBlockers);
  const error = left.unclear && known.code !== "CONNECTION_LOST" ? withPartLeft(known, planned) : known;
  await recordFailure(context, planned, error, left);
  return error;
}

/** What is to be done where a part may have been committed: not just to try again. */
function withPartLeft(error: GodwitError, { id, direction }: PlannedMigration): GodwitError {
  const { message, detail, location, sqlstate } = error;
  return new GodwitError(error.code, message, {
    ...(detail === undefined ? {} : { detail }),
    ...(location === undefined ? {} : { location }),
    ...(sqlstate === undefined ? {} : { sqlstate }),
    hint:
      `what it had committed by itself before stays, so that \`godwit ${direction}\` does not run it again unasked.\n` +
      `undo that by hand, mend the file, then: godwit repair mark-not-applied ${id} --reason "…"\n` +
      "or see all choices: godwit repair",
    cause: error,
  });
}

/** Brings the session back and writes down what happened. Errors here must not hide the one that is reported. */
async function recordFailure(
  context: ExecutionContext,
  planned: PlannedMigration,
  error: GodwitError,
  left: FailureLeft,
): Promise<void> {
  if (isGodwitError(error, "CONNECTION_LOST") || isGodwitError(error, "LOCK_LOST")) return;
  try {
    await context.session.cleanup(async () => {
      await context.session.query(sessionResetSql(context.work));
      await context.writer.write(failedChange(planned, error, left));
    });
  } catch (secondary) {
    context.emit({
      type: "warning",
      target: context.target,
      message: `the failure of ${planned.id} could not be recorded: ${secondary instanceof Error ? secondary.message : String(secondary)}`,
      hint: null,
    });
  }
}

function countStatements(step: PlanStep): number {
  if (step.kind === "transaction") return step.statements.length;
  return step.kind === "standalone" ? 1 : 0;
}
