import type { GodwitError } from "../core/error.ts";
import type { LogEntry } from "../history/log-chain.ts";
import type { StepNote, StoredError } from "../history/types.ts";
import { statementsOf } from "../plan/steps.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import type { Blocker } from "./blocker-look.ts";

/** One statement that ran, for events, log and totals. */
export interface StatementOutcome {
  readonly statement: Statement;
  readonly durationMs: number;
  readonly rows: number | null;
  /** What it makes, where that was there already and equals. */
  readonly tolerated?: string;
}

/**
 * That a migration is done, with every statement that this run ran for it.
 * @param outcomes null: the entry is on its way to the server together with the statements, whose outcome is not known yet.
 * @param durationMs null: the server measures.
 * @param messages what a code migration has said.
 */
export function finishedEntry(
  planned: PlannedMigration,
  outcomes: readonly StatementOutcome[] | null,
  durationMs: number | null,
  messages: readonly string[] = [],
): LogEntry {
  const { id, direction } = planned;
  const statements =
    outcomes?.map(statementDetails) ??
    planned.steps.flatMap(statementsOf).map(({ ordinal, tag }) => ({ ordinal, tag }));
  return {
    timed: durationMs === null,
    level: "info",
    event: finishedEvent(planned),
    migrationId: id,
    message: direction === "up" ? `applied ${id}` : `took back ${id}`,
    details: {
      checksum: planned.checksum,
      reason: planned.reason,
      ...(durationMs === null ? {} : { duration_us: Math.round(durationMs * 1000) }),
      statements,
      ...(messages.length === 0 ? {} : { messages }),
    },
  };
}

/**
 * That a step of a migration of several is done, or what else became of it.
 * @param note what the catalog said of its objects before; see `readStepNote`.
 */
export function stepEntry(
  planned: PlannedMigration,
  event: "step.intended" | "step.finished" | "step.failed" | "step.unclear",
  ordinal: number,
  outcomes: readonly StatementOutcome[] = [],
  note: StepNote | null = null,
): LogEntry {
  return {
    level: "debug",
    event,
    migrationId: planned.id,
    message: `step ${ordinal} of ${planned.steps.length}`,
    details: {
      direction: planned.direction,
      ordinal,
      statements: outcomes.map(statementDetails),
      ...(note === null ? {} : { before: note }),
    },
  };
}

export function startedEntry(planned: PlannedMigration): LogEntry {
  return {
    level: "info",
    event: planned.resume === null ? "migration.started" : "migration.resumed",
    migrationId: planned.id,
    message: `${planned.direction} ${planned.id} in ${planned.steps.length} ${planned.steps.length === 1 ? "step" : "steps"}`,
    details: {
      checksum: planned.checksum,
      direction: planned.direction,
      steps: planned.steps.length,
      steps_done: planned.resume?.done ?? 0,
    },
  };
}

/** What became of an attempt, or of a look; see the event `migration.retrying`. */
interface Retried {
  readonly reason: string;
  readonly attempt: number;
  readonly delayMs: number;
  readonly keptOutMs: number | null;
}

/** That a lock could not be had, so that a transaction was rolled back or not begun, and will be tried again. */
export function retriedEntry(
  planned: PlannedMigration,
  { reason, attempt, delayMs, keptOutMs }: Retried,
): LogEntry {
  return {
    level: "warning",
    event: "migration.retried",
    migrationId: planned.id,
    message: reason,
    details: {
      direction: planned.direction,
      attempt,
      delay_ms: delayMs,
      ...(keptOutMs === null ? {} : { kept_out_ms: Math.round(keptOutMs) }),
    },
  };
}

/** That a session which was in the way was cancelled or ended. */
export function blockerEntry(
  planned: PlannedMigration,
  act: "cancel" | "terminate",
  blocker: Blocker,
  blockedMs: number,
): LogEntry {
  const { pid, started, application, user, state, query } = blocker;
  const done = act === "cancel" ? "cancelled" : "terminated";
  return {
    level: "warning",
    event: `blocker.${done}`,
    migrationId: planned.id,
    message: `${done} backend ${pid}${application === "" ? "" : ` (${application})`}, which was in the way`,
    details: {
      direction: planned.direction,
      pid,
      backend_start: started,
      application,
      user,
      state,
      query,
      blocked_ms: Math.round(blockedMs),
    },
  };
}

export function failedEntry(planned: PlannedMigration, error: GodwitError, rolledBack: boolean): LogEntry {
  return {
    level: "error",
    event:
      error.code === "INTERRUPTED" || error.code === "TERMINATED"
        ? "migration.interrupted"
        : "migration.failed",
    migrationId: planned.id,
    message: error.message,
    details: { ...storedError(error), direction: planned.direction, rolled_back: rolledBack },
  };
}

export function storedError(error: GodwitError): StoredError {
  const place = error.location;
  return {
    message: error.message,
    sqlstate: error.sqlstate ?? null,
    detail: error.detail ?? null,
    location: place === undefined ? null : `${place.file}:${place.line}:${place.column}`,
  };
}

export function statementDetails(outcome: StatementOutcome): Record<string, unknown> {
  const { statement, durationMs, rows, tolerated } = outcome;
  const details = {
    ordinal: statement.ordinal,
    tag: statement.tag,
    duration_us: Math.round(durationMs * 1000),
    rows,
  };
  return tolerated === undefined ? details : { ...details, tolerated };
}

function finishedEvent(planned: PlannedMigration): string {
  if (planned.kind === "repeatable") return "repeatable.applied";
  return planned.direction === "up" ? "migration.applied" : "migration.taken_back";
}
