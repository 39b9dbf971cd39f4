import { workSettingsSql } from "../postgres/work-session.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import type { ExecutionContext } from "./context.ts";

/** The settings that a migration of several steps begins with, beyond those of every work session. */
export function settingsSql(context: ExecutionContext, planned: PlannedMigration): string {
  const path = context.searchPath === null ? "" : `; SET search_path = ${context.searchPath}`;
  return `SET lock_timeout = ${planned.lockTimeoutMs}; SET statement_timeout = ${planned.statementTimeoutMs}${path}`;
}

/**
 * What must be sent behind a statement so that the session keeps the limits that every work session has (laws 4 and 7):
 * RESET ALL in a file means what the file has set, not these. null: nothing.
 */
export function settingsAfter(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): string | null {
  if (statement.tag !== "RESET" || !/^RESET\s+ALL\b/i.test(statement.sql)) return null;
  return `${workSettingsSql(context.work)}; ${settingsSql(context, planned)}`;
}
