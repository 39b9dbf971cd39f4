import type { Section } from "../migrations/types.ts";
import { assertResumable, statementsOf, stepsOf } from "./steps.ts";
import type { PlannedMigration } from "./types.ts";

/**
 * The same migration with one more statement standing alone, once the server has shown that it must. Steps that are done
 * stay as they are.
 */
export function plannedWithAlone(
  planned: PlannedMigration,
  section: Section,
  ordinal: number,
): PlannedMigration {
  const alone = new Set([ordinal]);
  for (const step of planned.steps) {
    if (step.kind === "standalone") for (const statement of statementsOf(step)) alone.add(statement.ordinal);
  }
  const steps = stepsOf(section, alone, planned.steps.slice(0, planned.resume?.done ?? 0));
  assertResumable(steps, planned.path ?? planned.id);
  return { ...planned, steps };
}
