import { GodwitError } from "../core/error.ts";
import type { Direction } from "../core/events.ts";
import type { StepRow } from "../history/types.ts";
import { stepHash } from "./steps.ts";
import type { PlanResume, PlanStep } from "./types.ts";

/**
 * Where a migration with lines in the ledger goes on. What is done must still be what the file says: the rest of the
 * file may have been mended since.
 * @param ledger lines of this migration and direction, by ordinal.
 * @returns null where there are none.
 * @throws GodwitError NEEDS_REPAIR if a finished step was edited.
 */
export function resumeOf(
  id: string,
  direction: Direction,
  steps: readonly PlanStep[],
  ledger: readonly StepRow[],
  checksum: string,
  path: string | null,
): PlanResume | null {
  if (ledger.length === 0) return null;
  let done = 0;
  while (ledger[done]?.state === "done") {
    const step = steps[done];
    if (step === undefined || stepHash(step, checksum) !== ledger[done]!.statementHash) {
      throw new GodwitError(
        "NEEDS_REPAIR",
        `${id}: step ${done + 1} of its ${direction} is done, but the file says something else there now`,
        {
          ...(path === null ? {} : { location: { file: path, line: 1, column: 1 } }),
          hint:
            `put the finished statements back as they were and change only what comes after them,\n` +
            `or finish by hand and tell the history: godwit repair mark-applied ${id} --reason "…"`,
        },
      );
    }
    done += 1;
  }
  const next = ledger[done]?.state;
  return { done, next: next === "intended" || next === "failed" ? next : null };
}
