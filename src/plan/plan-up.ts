import { GodwitError } from "../core/error.ts";
import type { HistoryRow, StepRow } from "../history/types.ts";
import { compareIds } from "../migrations/order.ts";
import type { Migration } from "../migrations/types.ts";
import { isApplied, type Comparison } from "./compare.ts";
import { resumeSteps, type BegunRecord } from "./resume.ts";
import { assertResumable, type CatalogAnswers } from "./steps.ts";

import type { Plan, PlannedMigration, PlanReason, PlanWarning } from "./types.ts";

export interface PlanTarget {
  readonly stream: string;
  readonly target: string;
  readonly targetSchema: string;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** How paths are shown to people. */
  readonly showPath: (path: string) => string;
}

export interface UpPlanInput extends PlanTarget {
  readonly comparison: Comparison;
  /** Pending versioned migrations that were selected, in the order in which they run. */
  readonly versioned: readonly Migration[];
  /** Repeatables to run, by name. */
  readonly repeatables: readonly Migration[];
  /** Lines of the ledger of unfinished migrations. */
  readonly ledger: readonly StepRow[];
  /** By migration id: what the history keeps of the step that was begun. */
  readonly begun: ReadonlyMap<string, BegunRecord>;
  /** By migration id: statements that the live catalog says must stand alone. */
  readonly alone: ReadonlyMap<string, CatalogAnswers>;
  /** Whether migrations that say nothing of it tolerate what is there already. */
  readonly tolerateExisting: boolean;
  readonly warnings: readonly PlanWarning[];
}

/**
 * What `up` will do to one target.
 * @throws GodwitError OUT_OF_ORDER, NEEDS_REPAIR, STATEMENT_NEEDS_SESSION.
 */
export function planUp(input: UpPlanInput): Plan {
  assertNotHalfDown(input);
  assertOrder(input);
  const last = lastApplied(input.comparison);
  return {
    stream: input.stream,
    target: input.target,
    targetSchema: input.targetSchema,
    direction: "up",
    migrations: [...input.versioned, ...input.repeatables].map((migration) =>
      planned(input, migration, last),
    ),
    warnings: input.warnings,
  };
}

function planned(input: UpPlanInput, migration: Migration, last: string | null): PlannedMigration {
  const path = input.showPath(migration.path);
  const { id } = migration;
  const lines = input.ledger.filter((line) => line.id === id && line.direction === "up");
  const { steps, resume } = resumeSteps({
    id,
    direction: "up",
    work:
      migration.format === "code"
        ? { code: { kind: "code", ordinal: 1, transaction: migration.up.transaction } }
        : { section: migration.up, alone: input.alone.get(id) ?? new Set() },
    checksum: migration.checksum,
    // A repeatable always begins anew.
    ledger: migration.kind === "repeatable" ? [] : lines,
    begun: input.begun.get(id),
    path,
  });
  assertResumable(steps, path);
  return {
    id: migration.id,
    kind: migration.kind,
    format: migration.format,
    direction: "up",
    reason: reasonOf(input, migration, resume !== null, last),
    description: migration.description,
    path,
    checksum: migration.checksum,
    downChecksum: migration.down?.checksum ?? null,
    upSql: migration.up.sql,
    downSql: migration.down?.sql ?? null,
    requires: (migration.requires ?? []).map((required) =>
      required.stream === migration.stream ? required.id : `${required.stream}/${required.id}`,
    ),
    irreversible: migration.irreversible,
    statementHashes: migration.up.statements.map((statement) => statement.hash),
    modulePath: migration.format === "code" ? migration.path : null,
    resume,
    lockTimeoutMs: migration.lockTimeoutMs ?? input.lockTimeoutMs,
    statementTimeoutMs: migration.statementTimeoutMs ?? input.statementTimeoutMs,
    tolerateExisting: migration.format !== "code" && (migration.tolerateExisting ?? input.tolerateExisting),
    steps,
  };
}

function reasonOf(
  input: UpPlanInput,
  migration: Migration,
  resumes: boolean,
  last: string | null,
): PlanReason {
  if (migration.kind === "repeatable") {
    return input.comparison.appliedRepeatables.has(migration.id) ? "changed" : "pending";
  }
  if (resumes) return "half applied";
  const row = input.comparison.rowsById.get(migration.id);
  if (row?.status === "failed" || row?.status === "running") return "failed before";
  return isBehind(migration.id, last) ? "out of order" : "pending";
}

/** The applied id that is the last by id. */
function lastApplied(comparison: Comparison): string | null {
  let last: string | null = null;
  for (const id of comparison.applied) if (last === null || compareIds(id, last) > 0) last = id;
  return last;
}

/** Whether a later id is applied already; ids are compared bytewise, as everywhere. */
function isBehind(id: string, last: string | null): boolean {
  return last !== null && compareIds(last, id) > 0;
}

/**
 * A file that names what it requires may be applied out of id order; one that does not requires every earlier id
 * and promises that every later one may rely on it, which is too late to keep once a later one is applied.
 */
function assertOrder(input: UpPlanInput): void {
  const last = lastApplied(input.comparison);
  const late = input.versioned.filter(
    (migration) =>
      migration.requires === null &&
      input.comparison.rowsById.get(migration.id) === undefined &&
      isBehind(migration.id, last),
  );
  if (late.length === 0) return;
  const problems = late.map((migration) => {
    const before = [...input.comparison.applied]
      .filter((id) => compareIds(id, migration.id) < 0)
      .sort(compareIds)
      .at(-1);
    return new GodwitError(
      "OUT_OF_ORDER",
      `${migration.id} is pending, but a later migration is applied already`,
      {
        location: { file: input.showPath(migration.path), line: 1, column: 1 },
        hint:
          `say what it needs, at the top of the file: -- godwit:requires ${before ?? "<id>"}\n` +
          "or give it a newer id, if it relies on the later ones",
      },
    );
  });
  if (problems.length === 1) throw problems[0]!;
  throw new GodwitError(
    "OUT_OF_ORDER",
    `${problems.length} pending migrations are older than one that is applied`,
    { problems },
  );
}

function assertNotHalfDown(input: UpPlanInput): void {
  const line = input.ledger.find((step) => step.direction === "down");
  const row: HistoryRow | undefined = line === undefined ? undefined : input.comparison.rowsById.get(line.id);
  if (row === undefined || isApplied(row)) return;
  throw new GodwitError("NEEDS_REPAIR", `${row.id} is half taken back: a down of it did not finish`, {
    hint: `finish it: godwit down 1\nor, if the database is as before the migration: godwit repair mark-not-applied ${row.id} --reason "…"`,
  });
}
