import { GodwitError } from "../core/error.ts";
import { wayToDecide } from "../plan/decidable.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import type { Session } from "../postgres/session.ts";
import { qualified } from "../sql/quote.ts";
import { letStandAlone } from "./stand-alone.ts";
import type { ConcurrentIndex } from "../sql/concurrent-index.ts";

/** What the catalog says about a stand-alone statement whose outcome the ledger does not know. */
export type HalfDone = { readonly verdict: "done" | "not done"; readonly because: string };

/**
 * Decides from the catalog whether a stand-alone statement that an earlier run began is done (law 5). The session of that
 * run is known to be gone. An INVALID index that CREATE INDEX CONCURRENTLY left is dropped, as the manual advises
 * (CREATE INDEX, "Building Indexes Concurrently").
 * @param reported true if the server reported an error for it: then it had no effect but possibly an INVALID index.
 * @throws GodwitError NEEDS_REPAIR when the catalog cannot tell.
 */
export async function judgeHalfDone(
  session: Session,
  planned: PlannedMigration,
  step: Exclude<PlanStep, { kind: "transaction" }>,
  reported: boolean,
): Promise<HalfDone> {
  const way = await wayToDecide(step);
  if (way?.kind === "index") return judgeIndex(session, way.index, reported);
  if (reported) return { verdict: "not done", because: "it had failed" };
  if (way?.kind === "again") return { verdict: "not done", because: `${way.tag} may be run again` };
  const tag = step.kind === "standalone" ? step.statement.tag : "its code";
  throw new GodwitError(
    "NEEDS_REPAIR",
    `${planned.id}: an earlier run began ${tag} and its outcome is unknown`,
    {
      ...(step.kind === "standalone"
        ? {
            location: {
              file: planned.path ?? planned.id,
              line: step.statement.line,
              column: step.statement.column,
            },
          }
        : {}),
      hint:
        `look whether it took effect; then either: godwit repair mark-applied ${planned.id} --reason "…" (all of the file is done)\n` +
        `or undo what it did by hand and: godwit repair mark-not-applied ${planned.id} --reason "…"`,
    },
  );
}

async function judgeIndex(session: Session, index: ConcurrentIndex, reported: boolean): Promise<HalfDone> {
  const [row] = await session.rows(
    `SELECT i.indisvalid AS valid, n.nspname AS schema FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass($1)`,
    [qualified(index.schema, index.name)],
  );
  if (index.action === "drop") {
    return row === undefined
      ? { verdict: "done", because: `index ${index.name} is gone` }
      : { verdict: "not done", because: `index ${index.name} is still there` };
  }
  if (row === undefined) return { verdict: "not done", because: `index ${index.name} is not there` };
  // One that failed left no valid index: this one was there before and may be another.
  if (row.valid === "t" && reported) return { verdict: "not done", because: "it had failed" };
  if (row.valid === "t") return { verdict: "done", because: `index ${index.name} is there and valid` };
  const drop = `DROP INDEX CONCURRENTLY ${qualified(row.schema ?? null, index.name)}`;
  const putBack = await letStandAlone(session, "CONCURRENTLY");
  await session.query(drop);
  await putBack();
  return { verdict: "not done", because: `index ${index.name} was left INVALID and has been dropped` };
}
