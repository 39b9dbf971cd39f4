import { GodwitError } from "../../core/error.ts";
import { wayToDecide } from "../../plan/decidable.ts";
import type { BegunStep, PlannedMigration } from "../../plan/types.ts";
import type { ExecutionContext } from "../context.ts";
import { notDone, unclear, type Verdict } from "./kind.ts";
import { settle } from "./kinds.ts";

/**
 * What became of a step that an earlier run began, as ledger and catalog tell (law 5). The session of that run is known
 * to be gone. What was left half done is cleared away or completed.
 * @throws what the server says when it refuses that; GodwitError OBJECT_LOCK_TIMEOUT; the signal's reason.
 */
export async function settleBegun(
  context: ExecutionContext,
  planned: PlannedMigration,
  begun: BegunStep,
): Promise<Verdict> {
  const { statement, note, state, hadNoEffect } = begun;
  const act = statement === null ? null : await wayToDecide(statement);
  if (act !== null && statement !== null) {
    return settle({ context, planned, statement }, act, { note, reported: state === "failed" });
  }
  if (hadNoEffect) return notDone("it had failed without effect");
  return unclear(
    state === "intended"
      ? "its outcome is unknown"
      : "it reported an error, and what it had committed before stays",
  );
}

/**
 * That only a person can tell what became of a step, or what to do about it, with the commands to choose from.
 * @param outcome of the step; `done` is no answer where the file does not have the statement any more.
 */
export function needsPerson(planned: PlannedMigration, begun: BegunStep, outcome: Verdict): GodwitError {
  const { id, direction } = planned;
  const { statement, isNext } = begun;
  const tag = statement?.tag ?? (planned.format === "code" ? "its code" : "a statement");
  const message =
    outcome.outcome === "done"
      ? `${id}: an earlier run began ${tag}, which the file does not have at its place any more, and it is done`
      : `${id}: an earlier run began ${tag} and its outcome is unknown`;
  const detail =
    begun.state === "intended" && outcome.because === "its outcome is unknown" ? null : outcome.because;
  return new GodwitError("NEEDS_REPAIR", message, {
    ...(isNext && statement !== null
      ? { location: { file: planned.path ?? id, line: statement.line, column: statement.column } }
      : {}),
    ...(detail === null ? {} : { detail }),
    hint:
      (outcome.outcome === "done"
        ? `put it back and change only what comes after it, then: godwit ${direction}\nor `
        : "") +
      `look whether it took effect; then either: godwit repair mark-applied ${id} --reason "…" (all of the file is done)\n` +
      `or undo what it did by hand and: godwit repair mark-not-applied ${id} --reason "…"` +
      // Of several statements the others need no decision.
      (planned.steps.length > 1 ? "\nor decide about this statement alone: godwit repair shows how" : ""),
  });
}
