import { GodwitError } from "../core/error.ts";
import type { HistoryDetail, StepRow } from "../history/types.ts";
import type { Section } from "../migrations/types.ts";
import { inDownOrder } from "./compare.ts";
import type { PlanTarget } from "./plan-up.ts";
import { resumeSteps, type BegunRecord } from "./resume.ts";
import { assertResumable, type CatalogAnswers } from "./steps.ts";
import type { Plan, PlannedMigration, PlanWarning } from "./types.ts";

/** How far to go back: so many, everything after an id, or everything. */
export type DownSelection = { readonly steps: number } | { readonly to: string } | { readonly all: true };

/** Where the way down of one migration comes from. */
export interface DownSource {
  /** The section to run: the stored text, with the file's positions where the file still has that text. null: no way down. */
  readonly section: Section | null;
  /** The file, for messages; null where only the history has the text. */
  readonly path: string | null;
  /** For code migrations: the module, or null if it is gone. */
  readonly modulePath: string | null;
  /** As the file's directives say; null: the run's setting. */
  readonly lockTimeoutMs: number | null;
  readonly statementTimeoutMs: number | null;
}

export interface DownPlanInput extends PlanTarget {
  /** What `selectDown` chose, in the order of taking back. */
  readonly rows: readonly HistoryDetail[];
  readonly sources: ReadonlyMap<string, DownSource>;
  readonly ledger: readonly StepRow[];
  /** By migration id: what the history keeps of the step that was begun. */
  readonly begun: ReadonlyMap<string, BegunRecord>;
  readonly alone: ReadonlyMap<string, CatalogAnswers>;
  readonly warnings: readonly PlanWarning[];
}

/**
 * Chooses what to take back, newest application first (law 1: along applied_seq, not along ids).
 * One whose taking back began and did not finish comes first. Baselines are the floor: what Godwit did not apply
 * it does not take back.
 * @throws GodwitError MIGRATION_UNKNOWN for a `to` that is not applied; IRREVERSIBLE for a `to` below a baseline.
 */
export function selectDown(
  rows: readonly HistoryDetail[],
  ledger: readonly StepRow[],
  selection: DownSelection,
): HistoryDetail[] {
  const begun = new Set(ledger.filter((line) => line.direction === "down").map((line) => line.id));
  const half = rows.filter(
    (row) => begun.has(row.id) && (row.status === "running" || row.status === "failed"),
  );
  const applied = inDownOrder(rows) as HistoryDetail[];
  const floor = applied.findIndex((row) => row.status === "baseline");
  const reachable = [...half, ...(floor === -1 ? applied : applied.slice(0, floor))];
  if ("all" in selection) return reachable;
  if ("steps" in selection) {
    if (reachable.length === 0 && floor === 0) throw belowBaseline(applied[0]!.id);
    return reachable.slice(0, selection.steps);
  }
  const kept = applied.find((row) => row.id === selection.to);
  if (kept === undefined) {
    throw new GodwitError(
      "MIGRATION_UNKNOWN",
      `${selection.to} is not applied, so there is no going back to it`,
      {
        hint: "godwit status lists what is applied",
      },
    );
  }
  const after = applied.filter((row) => (row.appliedSeq ?? 0) > (kept.appliedSeq ?? 0));
  const baseline = after.find((row) => row.status === "baseline");
  if (baseline !== undefined) throw belowBaseline(baseline.id);
  return [...half, ...after];
}

/**
 * What `down` will do to one target.
 * @throws GodwitError IRREVERSIBLE and NEEDS_REPAIR, each with every migration concerned, before anything runs.
 */
export function planDown(input: DownPlanInput): Plan {
  const problems: GodwitError[] = [];
  for (const row of input.rows) {
    const problem = obstacle(row, input.sources.get(row.id));
    if (problem !== null) problems.push(problem);
  }
  if (problems.length === 1) throw problems[0]!;
  const [first] = problems;
  if (first !== undefined)
    throw new GodwitError(first.code, `${problems.length} migrations cannot be taken back`, { problems });
  return {
    stream: input.stream,
    target: input.target,
    targetSchema: input.targetSchema,
    direction: "down",
    migrations: input.rows.map((row) => planned(input, row, input.sources.get(row.id)!)),
    warnings: input.warnings,
  };
}

function planned(input: DownPlanInput, row: HistoryDetail, source: DownSource): PlannedMigration {
  const section = source.section;
  const { steps, resume } = resumeSteps({
    id: row.id,
    direction: "down",
    work:
      row.format === "code"
        ? { code: { kind: "code", ordinal: 1, transaction: section?.transaction ?? true } }
        : { section: section!, alone: input.alone.get(row.id) ?? new Set() },
    checksum: row.checksum,
    ledger: input.ledger.filter((line) => line.id === row.id && line.direction === "down"),
    begun: input.begun.get(row.id),
    path: source.path,
  });
  assertResumable(steps, source.path ?? row.id);
  return {
    id: row.id,
    kind: row.kind,
    format: row.format,
    direction: "down",
    reason: resume === null ? "asked for" : "half applied",
    description: row.description,
    path: source.path,
    checksum: row.checksum,
    downChecksum: row.downChecksum,
    upSql: "",
    downSql: section?.sql ?? null,
    requires: row.requires,
    irreversible: row.irreversible,
    statementHashes: row.statementHashes,
    modulePath: source.modulePath,
    resume,
    lockTimeoutMs: source.lockTimeoutMs ?? input.lockTimeoutMs,
    statementTimeoutMs: source.statementTimeoutMs ?? input.statementTimeoutMs,
    tolerateExisting: false,
    steps,
  };
}

function obstacle(row: HistoryDetail, source: DownSource | undefined): GodwitError | null {
  if (row.irreversible !== null) {
    return new GodwitError("IRREVERSIBLE", `${row.id} is irreversible: ${row.irreversible}`, {
      hint: "write a new migration that changes the database forward: godwit new <name>",
    });
  }
  if (row.format === "code" && source?.modulePath === null) {
    return new GodwitError("NEEDS_REPAIR", `${row.id} is a code migration and its file is gone`, {
      hint: `put the file back, or take the change back by hand and tell the history: godwit repair mark-not-applied ${row.id} --reason "…"`,
    });
  }
  if (row.format === "code" && source?.section === null) {
    return new GodwitError("IRREVERSIBLE", `${row.id} has no way down`, {
      hint:
        `export an async function down(db) from ${source.path ?? "its file"} and have it stored: godwit repair accept-checksum ${row.id} --reason "…"\n` +
        "or write a new migration that changes the database forward: godwit new <name>",
    });
  }
  if (source?.section === null || source === undefined) {
    return new GodwitError("IRREVERSIBLE", `${row.id} has no way down`, {
      hint:
        `write one under "-- migrate:down" in its file and have it stored: godwit repair accept-checksum ${row.id} --reason "…"\n` +
        "or write a new migration that changes the database forward: godwit new <name>",
    });
  }
  return null;
}

function belowBaseline(id: string): GodwitError {
  return new GodwitError("IRREVERSIBLE", `${id} was there before Godwit (a baseline); it is not taken back`, {
    hint: `if it is gone from the database: godwit repair mark-not-applied ${id} --reason "…"`,
  });
}
