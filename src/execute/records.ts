import type { GodwitError } from "../core/error.ts";
import type { MigrationStatus } from "../history/types.ts";
import type { HistoryChange, MigrationRecord, StepRecord } from "../history/change.ts";
import type { HistoryWriter } from "../history/writer.ts";
import { statementsOf, stepHash } from "../plan/steps.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import { failedEntry, finishedEntry, storedError, type StatementOutcome } from "./log-entries.ts";

/** What `migrations` is to say of a planned migration. */
export function migrationRecord(
  planned: PlannedMigration,
  status: MigrationStatus,
  executionMs: MigrationRecord["executionMs"] = null,
  error: GodwitError | null = null,
): MigrationRecord {
  return {
    id: planned.id,
    kind: planned.kind,
    format: planned.format,
    description: planned.description,
    status,
    checksum: planned.checksum,
    downChecksum: planned.downChecksum,
    statementHashes: planned.statementHashes,
    requires: planned.requires,
    irreversible: planned.irreversible,
    executionMs,
    error: error === null ? null : storedError(error),
    files: planned.direction === "up" ? { upSql: planned.upSql, downSql: planned.downSql } : null,
  };
}

/**
 * The change that says that all of a migration is done.
 * @param durationMs null: it is written by the transaction that did it, and the server measures.
 */
export function finishedChange(
  writer: HistoryWriter,
  planned: PlannedMigration,
  outcomes: readonly StatementOutcome[] | null,
  durationMs: number | null,
  messages: readonly string[] = [],
): HistoryChange & { readonly statements: readonly string[] } {
  return {
    statements: planned.direction === "down" ? [writer.statements.repeatablesDue()] : [],
    log: [finishedEntry(planned, outcomes, durationMs, messages)],
    migration: migrationRecord(planned, planned.direction === "up" ? "completed" : "rolled_back", durationMs),
  };
}

/** What a migration that failed leaves. */
export interface FailureLeft {
  /** Nothing of it. */
  readonly rolledBack: boolean;
  /** It is known what became of what earlier runs began. */
  readonly settled: boolean;
}

/**
 * The change that records a failure. A `down` that was rolled back whole leaves its migration applied, and an interruption is no
 * failure: then only the log tells. So it does until it is settled what became of an earlier run's step: the history must go on
 * naming the text that was run then.
 */
export function failedChange(
  planned: PlannedMigration,
  error: GodwitError,
  { rolledBack, settled }: FailureLeft,
): HistoryChange {
  const log = [failedEntry(planned, error, rolledBack)] as const;
  const interrupted = log[0].event === "migration.interrupted";
  if (!settled || (rolledBack && (planned.direction === "down" || interrupted))) return { log };
  return { log, migration: migrationRecord(planned, "failed", null, error) };
}

export function stepRecord(
  planned: PlannedMigration,
  step: PlanStep,
  state: StepRecord["state"],
): StepRecord {
  return {
    id: planned.id,
    kind: planned.kind,
    direction: planned.direction,
    ordinal: step.ordinal,
    statementHash: stepHash(step, planned.checksum),
    statementHashes: statementsOf(step).map(({ hash }) => hash),
    state,
  };
}
