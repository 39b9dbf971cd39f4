import type { HistorySnapshot } from "../history/read.ts";
import type { MigrationFile } from "../migrations/types.ts";
import { compareWithHistory, type Comparison } from "../plan/compare.ts";
import type { PlanWarning } from "../plan/types.ts";
import type { Session } from "../postgres/session.ts";
import type { FleetIo } from "./io.ts";
import { pathShower } from "./show-path.ts";
import type { Target } from "./target.ts";

/** What is the matter with a target's files, asked once for a verb. */
export interface UpFindings {
  readonly comparison: Comparison;
  readonly warnings: readonly PlanWarning[];
}

/**
 * Compares files and history and refuses edits of what is applied, before anything is planned or run.
 * @throws GodwitError CHECKSUM_MISMATCH.
 */
export async function inspect(
  io: FleetIo,
  session: Session,
  target: Target,
  files: readonly MigrationFile[],
  snapshot: HistorySnapshot,
): Promise<UpFindings> {
  const comparison = compareWithHistory(files, snapshot.rows);
  const edits = comparison.changed.length === 0 ? [] : await judgeEdits(io, session, target, comparison);
  const missing = comparison.missing.map((row) => ({
    message: `${row.id} is applied, but its file is gone`,
    hint: `put it back, or have it forgotten: godwit repair forget ${row.id} --reason "…"`,
  }));
  return { comparison, warnings: [...edits, ...missing] };
}

/** Most runs find no edit, and do not load what parses files. */
async function judgeEdits(
  io: FleetIo,
  session: Session,
  target: Target,
  comparison: Comparison,
): Promise<readonly PlanWarning[]> {
  const { assertNoEdits, changeWarnings, judgeChanges } = await import("./changed-files.ts");
  const changed = await judgeChanges(session, target.scope, comparison);
  assertNoEdits(changed, pathShower(io));
  return changeWarnings(changed);
}

/** Whether there is anything to run. */
export function hasWork({ pending, repeatables }: Comparison): boolean {
  return pending.length > 0 || repeatables.length > 0;
}
