import { monotonicMs } from "../../core/clock.ts";
import { isDatabaseError } from "../../postgres/database-error.ts";
import type { Session, StatementResult } from "../../postgres/session.ts";
import { SQLSTATE } from "../../postgres/sqlstate.ts";
import { BEGIN } from "../../postgres/work-session.ts";
import { statementsOf } from "../../plan/steps.ts";
import type { PlannedMigration } from "../../plan/types.ts";
import type { Statement } from "../../sql/types.ts";
import type { ExecutionContext } from "../context.ts";
import type { StatementOutcome } from "../log-entries.ts";
import { settingsAfter } from "../settings-after.ts";
import { emitFinished, emitStarted, emitTolerated, watched } from "../statement-events.ts";
import { StatementFailure } from "../statement-pipeline.ts";
import type { Creation, Existing } from "./creation.ts";
import { comparisonError, differs, halfThere, notComparable } from "./errors.ts";
import { creationsOf, type Creations } from "./kinds.ts";
import { runHeard } from "./heard.ts";
import { Scratch } from "./scratch.ts";

const known = new WeakMap<PlannedMigration, Promise<Creations>>();

/** What the statements of a migration make; found out once. */
function creationsIn(planned: PlannedMigration): Promise<Creations> {
  let creations = known.get(planned);
  if (creations === undefined) {
    creations = creationsOf(planned.steps.flatMap(statementsOf));
    known.set(planned, creations);
  }
  return creations;
}

/**
 * Runs statements of a tolerant migration in the open transaction, one after the other: what one would make may be there
 * already, if it equals that; then the statement counts as applied.
 * @throws StatementFailure with the cause: GodwitError OBJECT_DIFFERS, OBJECT_NOT_COMPARABLE, PERMISSION_DENIED; the server's error.
 */
export async function runTolerantly(
  context: ExecutionContext,
  planned: PlannedMigration,
  statements: readonly Statement[],
): Promise<StatementOutcome[]> {
  const creations = await creationsIn(planned);
  const outcomes: StatementOutcome[] = [];
  for (const statement of statements) {
    emitStarted(context, planned, statement, false);
    const started = monotonicMs();
    try {
      const creation = creations.get(statement.ordinal) ?? null;
      const done = await watched(context, planned, statement, () =>
        runOne(context, planned, statement, creation),
      );
      outcomes.push(told(context, planned, { statement, durationMs: monotonicMs() - started, ...done }));
      const settings = settingsAfter(context, planned, statement);
      if (settings !== null) await context.session.query(settings);
    } catch (error) {
      throw new StatementFailure(statement, error);
    }
  }
  return outcomes;
}

/**
 * Looks, before a statement of a tolerant migration runs outside any transaction, whether what it makes is there already.
 * @returns null if it is not, so that the statement is to run.
 * @throws as `runTolerantly`; no transaction is open then.
 */
export async function toleratedAlone(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): Promise<StatementOutcome | null> {
  const creation = (await creationsIn(planned)).get(statement.ordinal);
  if (creation === undefined) return null;
  const { session } = context;
  const started = monotonicMs();
  try {
    // A statement that stands alone may wait for locks without a limit; a comparison must not.
    await session.query(`${BEGIN}; SET LOCAL lock_timeout = ${planned.lockTimeoutMs}`);
    const existing = await creation.lookup(session);
    const equals = existing !== null && (await isEqual(session, planned, statement, creation, existing));
    if (!equals) return null;
    const outcome = { statement, durationMs: monotonicMs() - started, rows: null, tolerated: existing.name };
    return told(context, planned, outcome);
  } catch (error) {
    throw new StatementFailure(statement, error);
  } finally {
    await session.cleanup(() => session.query("ROLLBACK"));
  }
}

function told(
  context: ExecutionContext,
  planned: PlannedMigration,
  outcome: StatementOutcome,
): StatementOutcome {
  if (outcome.tolerated === undefined) emitFinished(context, planned, outcome);
  else emitTolerated(context, planned, outcome.statement, outcome.tolerated);
  return outcome;
}

type Done = Pick<StatementOutcome, "rows" | "tolerated">;

async function runOne(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
  creation: Creation | null,
): Promise<Done> {
  const { session } = context;
  if (creation === null) return runUncompared(context, planned, statement);
  const existing = await creation.lookup(session);
  if (existing !== null && (await isEqual(session, planned, statement, creation, existing))) {
    if (existing.rest === "split") throw halfThere(planned, statement, existing.name);
    if (existing.rest === undefined) return { rows: null, tolerated: existing.name };
    const { result } = await runHeard(context, planned, statement);
    return { rows: result.rowCount, tolerated: existing.name };
  }
  await session.query("SAVEPOINT godwit_statement");
  let result: StatementResult | null = null;
  try {
    const heard = await runHeard(context, planned, statement);
    if (!heard.skipped) result = heard.result;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    // Somebody else has made it in between.
    await session.query("ROLLBACK TO SAVEPOINT godwit_statement; RELEASE SAVEPOINT godwit_statement");
    const meanwhile = await creation.lookup(session);
    if (meanwhile === null || !(await isEqual(session, planned, statement, creation, meanwhile))) throw error;
    return { rows: null, tolerated: meanwhile.name };
  }
  await session.query("RELEASE SAVEPOINT godwit_statement");
  if (result !== null) return { rows: result.rowCount };
  const meanwhile = await creation.lookup(session);
  if (meanwhile === null || !(await isEqual(session, planned, statement, creation, meanwhile))) {
    throw notComparable(planned, statement, `what ${statement.tag} makes`, "it is not found under its name");
  }
  return { rows: null, tolerated: meanwhile.name };
}

/** For kinds of objects that cannot be compared: an object that is there already is an error, skipped or not. */
async function runUncompared(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): Promise<Done> {
  const name = `what ${statement.tag} makes`;
  try {
    const { result, skipped } = await runHeard(context, planned, statement);
    if (skipped) throw notComparable(planned, statement, name, "the statement skipped it");
    return { rows: result.rowCount };
  } catch (error) {
    if (!isDuplicate(error) || !statement.tag.startsWith("CREATE")) throw error;
    throw notComparable(planned, statement, name, error instanceof Error ? error.message : "", error);
  }
}

/** @returns false if the statement makes another object beside it. @throws if they differ, or cannot be compared. */
async function isEqual(
  session: Session,
  planned: PlannedMigration,
  statement: Statement,
  creation: Creation,
  existing: Existing,
): Promise<boolean> {
  let lines: readonly string[] | null;
  try {
    lines = await Scratch.within(session, (scratch) => creation.differences(scratch, existing));
  } catch (error) {
    throw await comparisonError(error, session, planned, statement, existing.name);
  }
  if (lines === null) return false;
  if (lines.length > 0) throw differs(planned, statement, existing.name, lines);
  return true;
}

const DUPLICATES: ReadonlySet<string> = new Set([
  SQLSTATE.duplicateTable,
  SQLSTATE.duplicateObject,
  SQLSTATE.duplicateColumn,
  SQLSTATE.duplicateSchema,
  SQLSTATE.duplicateFunction,
  SQLSTATE.duplicateDatabase,
]);

/** Two sessions that make the same object at once meet in an index of the catalog, where the later one fails. */
function isDuplicate(error: unknown): boolean {
  if (!isDatabaseError(error)) return false;
  return (
    DUPLICATES.has(error.code) || (error.code === SQLSTATE.uniqueViolation && error.schema === "pg_catalog")
  );
}
