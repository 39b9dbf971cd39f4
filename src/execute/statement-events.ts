import { monotonicMs } from "../core/clock.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import type { ExecutionContext } from "./context.ts";
import type { StatementOutcome } from "./log-entries.ts";

/** Runs `body` and shows progress from outside while it takes long. */
export async function watched<T>(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: { readonly ordinal: number },
  body: () => Promise<T>,
): Promise<T> {
  const started = monotonicMs();
  return context.watch.during(body, (sight) => {
    context.emit({
      type: "statement.progress",
      ...subject(context, planned),
      ordinal: statement.ordinal,
      elapsedMs: monotonicMs() - started,
      ...sight,
    });
  });
}

export function emitStarted(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
  standalone: boolean,
): void {
  const { ordinal, tag, sql, line, column } = statement;
  context.emit({
    type: "statement.started",
    ...subject(context, planned),
    ordinal,
    tag,
    sql,
    standalone,
    location: { file: planned.path ?? planned.id, line, column },
  });
}

export function emitFinished(
  context: ExecutionContext,
  planned: PlannedMigration,
  outcome: StatementOutcome,
): void {
  const { statement, durationMs, rows } = outcome;
  const { ordinal, tag } = statement;
  context.emit({ type: "statement.finished", ...subject(context, planned), ordinal, tag, durationMs, rows });
}

export function emitSkipped(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
  reason: string,
): void {
  const { ordinal, tag } = statement;
  context.emit({ type: "statement.skipped", ...subject(context, planned), ordinal, tag, reason });
}

/** That what a statement makes was there already and equals. */
export function emitTolerated(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
  object: string,
): void {
  const { ordinal, tag } = statement;
  context.emit({ type: "statement.tolerated", ...subject(context, planned), ordinal, tag, object });
}

/** What every event of a migration names. */
export function subject(
  context: ExecutionContext,
  planned: PlannedMigration,
): Pick<PlannedMigration, "id" | "direction"> & { target: string } {
  return { target: context.target, id: planned.id, direction: planned.direction };
}
