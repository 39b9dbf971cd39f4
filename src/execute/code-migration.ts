import { GodwitError } from "../core/error.ts";
import type { MigrationDb } from "../migrations/code-types.ts";
import { loadCodeMigration } from "../migrations/code.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { sql, type SqlQuery } from "../sql/template.ts";
import type { ExecutionContext } from "./context.ts";

/**
 * Calls the `up` or `down` of a code migration with a `db` bound to the run's session.
 * @throws GodwitError NEEDS_REPAIR if the module is gone; whatever the function throws.
 */
export async function runCode(context: ExecutionContext, planned: PlannedMigration): Promise<void> {
  if (planned.modulePath === null) {
    throw new GodwitError("NEEDS_REPAIR", `${planned.id} is a code migration and its file is gone`, {
      hint: `put the file back, or take the change back by hand and tell the history: godwit repair mark-not-applied ${planned.id} --reason "…"`,
    });
  }
  // The way down is the one that the file has now, whatever was loaded under the checksum that was applied.
  const checksum = planned.direction === "up" ? planned.checksum : undefined;
  const module = await loadCodeMigration(planned.modulePath, checksum);
  const run = planned.direction === "up" ? module.up : module.down;
  if (run === undefined || run === null) {
    throw new GodwitError("IRREVERSIBLE", `${planned.id} has no down`, {
      hint: `export an async function down(db) from ${planned.path ?? planned.id}`,
    });
  }
  const db: MigrationDb = {
    query: async (text: string | SqlQuery, values?: readonly unknown[]) => {
      const query = typeof text === "string" ? { text, values: values ?? [] } : text;
      if (module.transaction) assertNoTransactionControl(planned, query.text);
      const result = await context.session.typedQuery(query.text, query.values);
      return { rows: result.rows as never[], rowCount: result.rowCount };
    },
    sql,
    migration: {
      id: planned.id,
      stream: context.stream,
      target: context.target,
      direction: planned.direction,
      runId: context.runId,
    },
    signal: context.signal ?? new AbortController().signal,
    log: (message: string) => {
      context.emit({
        type: "notice",
        target: context.target,
        id: planned.id,
        direction: planned.direction,
        severity: "LOG",
        message,
      });
    },
  };
  await run(db);
}

const TRANSACTION_CONTROL =
  /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b)|ABORT|PREPARE\s+TRANSACTION)\b/i;

/** Ending the transaction would tear the change from its entry in the history. */
function assertNoTransactionControl(planned: PlannedMigration, text: string): void {
  if (!TRANSACTION_CONTROL.test(text)) return;
  throw new GodwitError(
    "MIGRATION_FAILED",
    `${planned.id}: its code begins or ends a transaction, but Godwit has made one for it`,
    {
      hint: "remove that query, or export const transaction = false and commit in steps that can be repeated",
    },
  );
}
