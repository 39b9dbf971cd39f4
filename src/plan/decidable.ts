import type { StepState } from "../history/types.ts";
import { standAloneActOf, type StandAloneAct } from "../sql/stand-alone-act.ts";
import type { Statement } from "../sql/types.ts";

/**
 * How a statement whose outcome is unknown can be decided without a person (law 5). Asks no database.
 * @returns null where only a person can tell whether it took effect.
 */
export async function wayToDecide(statement: Statement): Promise<StandAloneAct | null> {
  return standAloneActOf(statement.sql, statement.tag);
}

/**
 * Whether the ledger alone tells that a step which is not done had no effect.
 * @param line of the ledger; version 1 of the history called failed also what may have committed a part.
 * @param statement of the step; null: code, or unknown.
 */
export function hadNoEffect(
  line: { readonly state: StepState; readonly statementHashes: readonly string[] | null },
  statement: Statement | null,
): boolean {
  if (line.state !== "failed") return false;
  return line.statementHashes !== null || (statement !== null && !mayCommit(statement));
}

/** Whether a statement may contain COMMIT, which a transaction block around it would forbid (manual, CALL and DO). */
export function mayCommit(statement: Statement): boolean {
  return statement.tag === "CALL" || statement.tag === "DO";
}
