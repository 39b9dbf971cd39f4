import { GodwitError } from "../core/error.ts";
import type { HistoryRow, StepRow } from "../history/types.ts";
import type { Migration } from "../migrations/types.ts";
import { isApplied, type Comparison } from "./compare.ts";
import { resumeOf } from "./resume.ts";
import { assertResumable, stepsOf, type CatalogAnswers } from "./steps.ts";
import { storeDown } from "./stored-down.ts";

import type { Plan, PlannedMigration, PlanReason, PlanStep, PlanWarning } from "./types.ts";

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
  /** Pending versioned migrations that were selected, in the order of the graph. */
  readonly versioned: readonly Migration[];
  /** Repeatables to run, by name. */
  readonly repeatables: readonly Migration[];
  /** Lines of the ledger of unfinished migrations. */
  readonly ledger: readonly StepRow[];
  /** By migration id: statements that the live catalog says must stand alone. */
  readonly alone: ReadonlyMap<string, CatalogAnswers>;
  readonly warnings: readonly PlanWarning[];
}

/**
 * What `up` will do to one target. Migrations that failed before come first (law 6).
 * @throws GodwitError OUT_OF_ORDER, NEEDS_REPAIR, STATEMENT_NEEDS_SESSION.
 */
export function planUp(input: UpPlanInput): Plan {
  assertNotHalfDown(input);
  assertOrder(input);
  const tried = (migration: Migration): boolean => {
    const status = input.comparison.rowsById.get(migration.id)?.status;
    return status === "failed" || status === "running";
  };
  const versioned = [
    ...input.versioned.filter(tried),
    ...input.versioned.filter((migration) => !tried(migration)),
  ];
  return {
    stream: input.stream,
    target: input.target,
    targetSchema: input.targetSchema,
    direction: "up",
    migrations: [...versioned, ...input.repeatables].map((migration) => planned(input, migration)),
    warnings: input.warnings,
  };
}

function planned(input: UpPlanInput, migration: Migration): PlannedMigration {
  const path = input.showPath(migration.path);
  const steps: PlanStep[] =
    migration.format === "code"
      ? [{ kind: "code", ordinal: 1, transaction: migration.up.transaction }]
      : stepsOf(migration.up, input.alone.get(migration.id) ?? new Set());
  assertResumable(steps, path);
  const ledger = input.ledger.filter((line) => line.id === migration.id && line.direction === "up");
  const resume =
    migration.kind === "repeatable"
      ? null
      : resumeOf(migration.id, "up", steps, ledger, migration.checksum, path);
  return {
    id: migration.id,
    kind: migration.kind,
    format: migration.format,
    direction: "up",
    reason: reasonOf(input, migration, resume !== null),
    description: migration.description,
    path,
    checksum: migration.checksum,
    downChecksum: migration.down?.checksum ?? null,
    upSql: migration.up.sql,
    downSql: storeDown(migration.down),
    requires: (migration.requires ?? []).map(({ stream, id }) =>
      stream === migration.stream ? id : `${stream}/${id}`,
    ),
    irreversible: migration.irreversible,
    statementHashes: migration.up.statements.map((statement) => statement.hash),
    modulePath: migration.format === "code" ? migration.path : null,
    resume,
    lockTimeoutMs: migration.lockTimeoutMs ?? input.lockTimeoutMs,
    statementTimeoutMs: migration.statementTimeoutMs ?? input.statementTimeoutMs,
    steps,
  };
}

function reasonOf(input: UpPlanInput, migration: Migration, resumes: boolean): PlanReason {
  if (migration.kind === "repeatable") return "changed";
  if (resumes) return "half applied";
  const row = input.comparison.rowsById.get(migration.id);
  if (row?.status === "failed" || row?.status === "running") return "failed before";
  return isBehind(input.comparison, migration.id) ? "out of order" : "pending";
}

/** Whether a later id is applied already; ids are compared bytewise, as everywhere. */
function isBehind(comparison: Comparison, id: string): boolean {
  for (const applied of comparison.applied)
    if (Buffer.compare(Buffer.from(applied), Buffer.from(id)) > 0) return true;
  return false;
}

/**
 * A file that names what it requires may be applied out of id order; one that does not requires every earlier id
 * and promises that every later one may rely on it, which is too late to keep once a later one is applied.
 */
function assertOrder(input: UpPlanInput): void {
  const late = input.versioned.filter(
    (migration) =>
      migration.requires === null &&
      input.comparison.rowsById.get(migration.id) === undefined &&
      isBehind(input.comparison, migration.id),
  );
  if (late.length === 0) return;
  const problems = late.map((migration) => {
    const before = [...input.comparison.applied]
      .filter((id) => id < migration.id)
      .sort()
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
