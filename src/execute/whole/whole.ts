import type { PlannedMigration } from "../../plan/types.ts";
import { PIPELINE_DEPTH } from "../statement-pipeline.ts";

/** Whether one transaction does all of a migration, so that it commits with its history and needs no ledger. */
export function isWhole(planned: PlannedMigration): boolean {
  const [only, ...rest] = planned.steps;
  if (planned.resume !== null || rest.length > 0) return false;
  return only === undefined || only.kind === "transaction" || (only.kind === "code" && only.transaction);
}

/** Whether all of it is quick, so that nobody needs to be told which of its statements runs. */
export function isQuick(planned: PlannedMigration): boolean {
  const [step] = planned.steps;
  return step?.kind === "transaction" && step.statements.every(({ quick }) => quick);
}

/** SET TRANSACTION must be the first query of its transaction, which it is not behind the guard. */
export function maySendAhead(next: PlannedMigration): boolean {
  const [step] = next.steps;
  if (!isWhole(next) || step?.kind !== "transaction" || next.tolerateExisting) return false;
  return !step.statements.some(({ tag, sql }) => tag === "SET" && /transaction/i.test(sql));
}

/** COMMIT can be sent along where all statements are sent at once. */
export function fitsInBulk(planned: PlannedMigration): boolean {
  const [step] = planned.steps;
  if (!isWhole(planned) || planned.tolerateExisting) return false;
  return step?.kind === "transaction" && step.statements.length <= PIPELINE_DEPTH;
}
