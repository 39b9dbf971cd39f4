import { statementsOf } from "../../plan/steps.ts";
import type { PlannedMigration, PlanStep } from "../../plan/types.ts";

/**
 * Whether the file has set lock_timeout for its session in an earlier step, be it in an earlier run. Then it holds, and no
 * other is given to what comes after; RESET ALL brings the planned one back.
 */
export function hasOwnLockTimeout({ steps }: PlannedMigration, step: PlanStep): boolean {
  let own = false;
  for (const { sessionEffect, sql, tag } of steps.slice(0, steps.indexOf(step)).flatMap(statementsOf)) {
    if (tag === "RESET" && /^RESET\s+ALL\b/i.test(sql)) own = false;
    else if (sessionEffect === "set" && /\block_timeout\b/i.test(sql)) own = true;
  }
  return own;
}
