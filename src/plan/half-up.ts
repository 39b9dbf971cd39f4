import type { HistoryRow, StepRow } from "../history/types.ts";

/** Whether a part of a migration's way up is in the database, or may be, though the migration is not applied. */
export function isHalfUp({ id, kind, status }: HistoryRow, ledger: readonly StepRow[]): boolean {
  if (kind !== "versioned" || (status !== "running" && status !== "failed")) return false;
  return ledger.some((line) => line.id === id && line.direction === "up" && line.state !== "failed");
}
