import type { PlannedMigration } from "../../plan/types.ts";
import type { StatementResult } from "../../postgres/session.ts";
import { SQLSTATE } from "../../postgres/sqlstate.ts";
import { literal } from "../../sql/quote.ts";
import type { Statement } from "../../sql/types.ts";
import type { ExecutionContext } from "../context.ts";
import { subject } from "../statement-events.ts";

/** With these the server says, as a notice, that IF NOT EXISTS skipped something. */
const SKIPS: ReadonlySet<string> = new Set([
  SQLSTATE.duplicateTable,
  SQLSTATE.duplicateObject,
  SQLSTATE.duplicateColumn,
  SQLSTATE.duplicateSchema,
  SQLSTATE.duplicateFunction,
]);

/** Settings of client_min_messages under which notices are not sent (manual 19.11.1). */
const DEAF: ReadonlySet<string> = new Set(["warning", "error"]);

/**
 * Runs a statement and listens whether IF NOT EXISTS skipped anything in it, also where the file keeps notices from being
 * sent; such notices are not passed on then.
 */
export async function runHeard(
  context: ExecutionContext,
  planned: PlannedMigration,
  statement: Statement,
): Promise<{ readonly result: StatementResult; readonly skipped: boolean }> {
  const { emit, session } = context;
  const mayskip = /\bif\s+not\s+exists\b/i.test(statement.sql);
  const before = mayskip ? await noticeLevel(context) : null;
  const deaf = before !== null && DEAF.has(before);
  if (deaf) await session.query("SET LOCAL client_min_messages = notice");
  let skipped = false;
  const result = await session.query(statement.sql, undefined, (notice, sqlstate) => {
    if (SKIPS.has(sqlstate ?? "")) skipped = true;
    if (!deaf) emit({ type: "notice", ...subject(context, planned), ...notice });
  });
  if (deaf) await session.query(`SET LOCAL client_min_messages = ${literal(before)}`);
  return { result, skipped };
}

async function noticeLevel({ session }: ExecutionContext): Promise<string> {
  const [row] = await session.rows("SELECT pg_catalog.current_setting('client_min_messages') AS level");
  return row?.level ?? "notice";
}
