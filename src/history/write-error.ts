import { GodwitError } from "../core/error.ts";
import { isDatabaseError } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import type { HistoryScope } from "./read.ts";

/** SQLSTATE of `record_change` when token and owner do not hold the lock. */
const FENCE_LOST = "GW001";

/** What went wrong while history was written: LOCK_LOST, LOG_CHAIN_BROKEN, or the error as it came. */
export function asWriteError(error: unknown, scope: HistoryScope): unknown {
  if (!isDatabaseError(error)) return error;
  if (
    error.code === SQLSTATE.uniqueViolation &&
    error.schema === scope.schema &&
    error.table === "migration_log"
  ) {
    return new GodwitError(
      "LOG_CHAIN_BROKEN",
      "an entry stands in the log where the next one belongs: the log or the lock's row was altered",
      { hint: "godwit verify shows where; nothing of this transaction was committed", cause: error },
    );
  }
  if (error.code !== FENCE_LOST) return error;
  return new GodwitError(
    "LOCK_LOST",
    "another run took over Godwit's lock; nothing of this transaction was committed",
    {
      hint: "godwit status shows what the other run did; then run the same command again",
      cause: error,
    },
  );
}
