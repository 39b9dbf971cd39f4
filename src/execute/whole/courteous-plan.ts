import type { PlannedMigration } from "../../plan/types.ts";
import { statementsOf } from "../../plan/steps.ts";
import { FreshRelations } from "../../sql/locks/fresh.ts";
import { mightQueue } from "../../sql/locks/might-queue.ts";
import type { ExecutionContext } from "../context.ts";
import { ObjectLocks } from "../locks/object-locks.ts";
import { isWhole } from "./whole.ts";

/** The strong locks of those migrations of a plan for which others might have to queue. */
export function courteousOf(
  context: ExecutionContext,
  plan: readonly PlannedMigration[],
): Map<PlannedMigration, ObjectLocks> {
  const all = new Map<PlannedMigration, ObjectLocks>();
  const fresh = new FreshRelations();
  for (const planned of plan) {
    fresh.nextFile();
    const statements = planned.steps.flatMap(statementsOf);
    // What the plan itself has made is used by nobody yet, or not for long.
    const strong = statements.flatMap((statement) => fresh.next(statement)).some(mightQueue);
    if (!strong || !isWhole(planned)) continue;
    const { searchPath } = context;
    const comparesFirst = planned.tolerateExisting;
    const locks = ObjectLocks.of(context, planned, statements, { searchPath, comparesFirst });
    if (locks !== null) all.set(planned, locks);
  }
  return all;
}
