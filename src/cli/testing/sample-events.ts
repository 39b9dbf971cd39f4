import type { GodwitEvent } from "../../core/events.ts";
import { GodwitError } from "../../core/error.ts";

const base = { target: "shop", id: "20260101_users", direction: "up" } as const;

/** The events of a run that applies one migration of two statements. */
export const EVENTS: readonly GodwitEvent[] = [
  { type: "run.started", runId: "0190c1a0-0000-7000-8000-000000000001", command: "up" },
  {
    type: "target.started",
    target: "shop",
    database: "shop on 127.0.0.1:5432",
    server: "PostgreSQL 18.4",
    pending: 1,
  },
  { type: "history.upgraded", target: "shop", from: 0, to: 1 },
  { type: "lock.acquired", target: "shop", token: 1, waitedMs: 3, provider: "advisory" },
  {
    ...base,
    type: "migration.started",
    index: 1,
    total: 1,
    description: "Users and sessions",
    statements: 2,
    retry: false,
    resumes: false,
  },
  started(1, "CREATE TABLE users (\n  id int\n)", "CREATE TABLE"),
  { ...base, type: "notice", severity: "NOTICE", message: "something of note" },
  { ...base, type: "statement.finished", ordinal: 1, tag: "CREATE TABLE", durationMs: 4.2, rows: null },
  started(2, "INSERT INTO users SELECT 1", "INSERT"),
  { ...base, type: "statement.finished", ordinal: 2, tag: "INSERT", durationMs: 1500, rows: 12000 },
  { ...base, type: "migration.finished", index: 1, total: 1, durationMs: 1510, statements: 2 },
  { type: "target.finished", target: "shop", applied: 1, durationMs: 1520, error: null },
  {
    type: "run.finished",
    runId: "0190c1a0-0000-7000-8000-000000000001",
    ok: true,
    applied: 1,
    durationMs: 1530,
  },
];

export function started(ordinal: number, sql: string, tag: string): GodwitEvent {
  return {
    ...base,
    type: "statement.started",
    ordinal,
    tag,
    sql,
    standalone: false,
    location: { file: "migrations/20260101_users.sql", line: ordinal, column: 1 },
  };
}

export function progress(elapsedMs: number, done: number | null): GodwitEvent {
  return {
    ...base,
    type: "statement.progress",
    ordinal: 1,
    elapsedMs,
    phase: "building index",
    done,
    total: done === null ? null : 200_000,
    waitingFor: done === null ? "backend 4711 (shop-api)" : null,
  };
}

export const failed: GodwitEvent = {
  ...base,
  type: "migration.failed",
  error: new GodwitError("MIGRATION_FAILED", "broken"),
  rolledBack: true,
  durationMs: 12,
};
