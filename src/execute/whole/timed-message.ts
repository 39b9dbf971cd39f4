import type { StatementResult } from "../../postgres/session.ts";
import type { Statement } from "../../sql/types.ts";
import type { StatementOutcome } from "../log-entries.ts";

/** Its result is told from all others by the name of its column. */
export const TIME = "EXTRACT(epoch FROM pg_catalog.clock_timestamp()) AS godwit_time";

/** Of each statement: from the time before it to the next; its result stands right before the latter. */
export function timedOutcomes(
  statements: readonly Statement[],
  results: readonly StatementResult[],
): StatementOutcome[] {
  const times = results.flatMap(({ rows }, index) => {
    const seconds = rows[0]?.godwit_time;
    return seconds === undefined || seconds === null ? [] : [{ index, ms: Number(seconds) * 1000 }];
  });
  return statements.map((statement, index) => {
    const [before, after] = [times[index]!, times[index + 1]!];
    return {
      statement,
      durationMs: Math.max(0, after.ms - before.ms),
      rows: results[after.index - 1]!.rowCount,
    };
  });
}
