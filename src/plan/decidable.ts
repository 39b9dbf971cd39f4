import { concurrentIndexOf, type ConcurrentIndex } from "../sql/concurrent-index.ts";
import type { PlanStep } from "./types.ts";

/** Statements that may simply be run again: they change no data and leave the same state however often they run. */
const REPEATABLE_TAGS: ReadonlySet<string> = new Set([
  "VACUUM",
  "ANALYZE",
  "REINDEX",
  "CLUSTER",
  "CHECKPOINT",
  "ALTER SYSTEM",
]);

/** How a step goes on whose outcome the ledger does not know: the catalog has the index or not, or it is run again. */
export type WayToDecide =
  | { readonly kind: "index"; readonly index: ConcurrentIndex }
  | { readonly kind: "again"; readonly tag: string };

/**
 * How a step that was begun and whose outcome is unknown can be decided without a person (law 5). Asks no database.
 * @returns null where only a person can tell whether it took effect.
 */
export async function wayToDecide(step: PlanStep): Promise<WayToDecide | null> {
  if (step.kind !== "standalone") return null;
  const { sql, tag } = step.statement;
  const index = await concurrentIndexOf(sql);
  if (index !== null) return { kind: "index", index };
  return REPEATABLE_TAGS.has(tag) ? { kind: "again", tag } : null;
}
