import type { Statement } from "../sql/types.ts";
import type { PlanStep } from "./types.ts";

/**
 * Whether a step does nothing but wait for others patiently: then a lock_timeout could only give up what disturbs nobody, and
 * a deadline bounds it instead (law 7).
 */
export function isPatientStep(step: PlanStep | undefined): boolean {
  if (step?.kind === "standalone") return step.statement.patient;
  if (step?.kind !== "transaction") return false;
  const others = step.statements.filter(({ patient }) => !patient);
  return others.length < step.statements.length && others.every(locksNothing);
}

/** What only changes the session, in a step of which the rest is patient. */
function locksNothing(statement: Statement): boolean {
  return statement.sessionEffect === "set" || statement.tag === "SET" || statement.tag === "RESET";
}
