import type {
  AppliedMigration,
  MigrationStatusRow,
  RunResult,
  StatusResult,
  TargetRunResult,
  TargetStatus,
} from "../../api/types.ts";

/** One applied migration of a status, with what differs. */
export function statusRow(id: string, more: Partial<MigrationStatusRow> = {}): MigrationStatusRow {
  return {
    id,
    kind: "versioned",
    state: "applied",
    flags: [],
    description: "",
    appliedAt: "2026-03-01T10:00:00.000000Z",
    appliedBy: "alice",
    executionMs: 12,
    error: null,
    ...more,
  };
}

/** A status of one target whose counts fit its rows. */
export function statusOf(
  rows: readonly MigrationStatusRow[],
  more: Partial<TargetStatus> = {},
): StatusResult {
  const having = (state: string) => rows.filter((row) => row.state === state).length;
  return {
    targets: [
      {
        target: "shop",
        stream: "shop",
        database: "shop on 127.0.0.1:5432",
        server: "PostgreSQL 18.4",
        historyVersion: 1,
        migrations: rows,
        counts: {
          applied: having("applied"),
          pending: having("pending"),
          failed: having("failed") + having("half_applied"),
          changed: rows.filter(({ flags }) => flags.includes("file_changed")).length,
          missing: rows.filter(({ flags }) => flags.includes("file_missing")).length,
        },
        code: having("pending") > 0 ? "PENDING" : "OK",
        lockedBy: null,
        ...more,
      },
    ],
  };
}

/** A migration that was run. */
export function applied(id: string, direction: "up" | "down" = "up"): AppliedMigration {
  return { id, kind: "versioned", direction, durationMs: 12, statements: 2, tolerated: [] };
}

/** What a run did on one target. */
export function targetRun(
  migrations: readonly AppliedMigration[],
  more: Partial<TargetRunResult> = {},
): TargetRunResult {
  return {
    target: "shop",
    stream: "shop",
    database: "shop on 127.0.0.1:5432",
    migrations,
    durationMs: 34,
    warnings: [],
    error: null,
    unfinished: null,
    skipped: null,
    ...more,
  };
}

export function runResult(...targets: readonly TargetRunResult[]): RunResult {
  return {
    runId: "0190c1a0-0000-7000-8000-000000000001",
    targets,
    total: targets.reduce((sum, { migrations }) => sum + migrations.length, 0),
    durationMs: 40,
  };
}
