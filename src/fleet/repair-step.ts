import { GodwitError } from "../core/error.ts";
import type { LockedTarget } from "../execute/locked-target.ts";
import { readOpenSteps, type HistoryScope } from "../history/read.ts";
import type { MigrationKind } from "../migrations/types.ts";
import { actEntry } from "./adopt-files.ts";

/** Says of the step that a migration stopped at what became of it, so that the migration goes on behind it or with it. */
export type StepAction = "mark-step-applied" | "mark-step-not-applied";

/**
 * Writes down a person's word on the one step of a half-applied migration that was begun and is not done.
 * @throws GodwitError NEEDS_REPAIR where no step of it was begun.
 */
export async function markStep(
  { context }: LockedTarget,
  scope: HistoryScope,
  action: StepAction,
  subject: { readonly id: string; readonly kind: MigrationKind },
  reason: string,
): Promise<void> {
  const { id, kind } = subject;
  const lines = await readOpenSteps(context.session, scope);
  const line = lines.find((one) => one.id === id && one.state !== "done");
  if (line === undefined) {
    throw new GodwitError("NEEDS_REPAIR", `${id} has no step of which it is not known whether it is done`, {
      hint: "godwit repair tells what each migration needs",
    });
  }
  const { direction, ordinal, state, statementHash } = line;
  const details = { direction, ordinal, state };
  if (action === "mark-step-applied") {
    await context.writer.write({
      log: [
        actEntry("repair.step_marked_applied", id, `declared step ${ordinal} of ${id} done`, reason, details),
      ],
      steps: [
        {
          id,
          kind,
          direction,
          ordinal,
          statementHash,
          statementHashes: line.statementHashes ?? [statementHash],
          state: "done",
        },
      ],
    });
    return;
  }
  await context.writer.write({
    log: [
      actEntry(
        "repair.step_marked_not_applied",
        id,
        `declared step ${ordinal} of ${id} not done`,
        reason,
        details,
      ),
    ],
    statements: [context.writer.statements.forgetStep({ id, kind, direction, ordinal })],
  });
}
