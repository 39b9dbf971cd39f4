import type { StepNote } from "../../history/types.ts";
import { wayToDecide } from "../../plan/decidable.ts";
import type { PlannedMigration } from "../../plan/types.ts";
import type { Statement } from "../../sql/types.ts";
import type { ExecutionContext } from "../context.ts";
import { stepEntry } from "../log-entries.ts";
import { emitSkipped } from "../statement-events.ts";
import { noteBefore, prepare } from "./kinds.ts";
import { needsPerson, settleBegun } from "./settle.ts";

/**
 * Finds out what became of the step that an earlier run began, before anything else is run.
 * @returns whether it is the next step, and done.
 * @throws GodwitError NEEDS_REPAIR when nobody but a person can tell, or it is done and not in the file any more.
 */
export async function settleEarlier(context: ExecutionContext, planned: PlannedMigration): Promise<boolean> {
  const begun = planned.resume?.begun ?? null;
  if (begun === null) return false;
  const { writer } = context;
  const { ordinal, hash, statement } = begun;
  const verdict = await settleBegun(context, planned, begun);
  if (verdict.outcome === "not done") return false;
  const { id, kind, direction } = planned;
  const line = {
    id,
    kind,
    direction,
    ordinal,
    statementHash: hash,
    statementHashes: statement === null ? [] : [hash],
  };
  // Where the catalog is asked anew each time, the ledger tells that it was asked in vain.
  if (verdict.outcome === "unclear" && statement !== null && (await wayToDecide(statement)) !== null) {
    await writer.write({
      log: [stepEntry(planned, "step.unclear", ordinal)],
      steps: [{ ...line, state: "unknown" }],
    });
  }
  if (verdict.outcome === "unclear" || !begun.isNext) throw needsPerson(planned, begun, verdict);
  if (statement !== null) emitSkipped(context, planned, statement, verdict.because);
  await writer.write({
    log: [stepEntry(planned, "step.finished", ordinal)],
    steps: [{ ...line, state: "done" }],
  });
  return true;
}

/**
 * Makes way for a statement that nobody has begun yet, and takes down what will tell later whether it is done.
 * @returns `done`: why it need not be run.
 */
export async function readied(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): Promise<{ readonly statement: Statement; readonly note: StepNote | null; readonly done?: string } | null> {
  const act = await wayToDecide(statement);
  if (act === null) return null;
  const scene = { context, planned, statement };
  const verdict = await prepare(scene, act);
  if (verdict?.outcome === "done") return { statement, note: null, done: verdict.because };
  return { statement, note: await noteBefore(scene, act) };
}
