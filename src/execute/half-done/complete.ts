import { GodwitError } from "../../core/error.ts";
import { isDatabaseError } from "../../postgres/database-error.ts";
import { SQLSTATE } from "../../postgres/sqlstate.ts";
import { LockRetry } from "../lock-retry.ts";
import { letStandAlone } from "../stand-alone.ts";
import { watched } from "../statement-events.ts";
import type { Scene } from "./kind.ts";

/** It disturbs nobody, and takes as long as it takes. */
const PATIENT = { lockTimeoutMs: 0, statementTimeoutMs: 0 };

/**
 * Runs a statement that clears away or completes what was left half done. It waits for locks for as long as it takes, as the one that
 * it belongs to does; a deadlock is tried again.
 * @param why for the error, with the object.
 * @throws GodwitError MIGRATION_FAILED, PERMISSION_DENIED, OBJECT_LOCK_TIMEOUT, with the statement to run by hand; the
 *   signal's reason.
 */
export async function complete(scene: Scene, sql: string, why: string): Promise<void> {
  const { context, planned, statement } = scene;
  const { session } = context;
  const retry = new LockRetry(context, planned);
  for (;;) {
    try {
      const putBack = await letStandAlone(session, { limits: PATIENT, isCode: false });
      try {
        await watched(context, planned, statement, () => session.query(sql));
      } finally {
        await putBack();
      }
      return;
    } catch (error) {
      if (context.signal?.aborted === true || !isDatabaseError(error)) throw error;
      await retry.again(error).catch((final: unknown) => {
        throw isDatabaseError(final) ? refused(planned.id, final, sql, why) : final;
      });
    }
  }
}

function refused(
  id: string,
  error: Error & { readonly code: string },
  sql: string,
  why: string,
): GodwitError {
  const code =
    error.code === SQLSTATE.insufficientPrivilege
      ? "PERMISSION_DENIED"
      : error.code === SQLSTATE.lockNotAvailable || error.code === SQLSTATE.deadlockDetected
        ? "OBJECT_LOCK_TIMEOUT"
        : "MIGRATION_FAILED";
  return new GodwitError(code, `${id}: ${why}, and that failed: ${error.message}`, {
    sqlstate: error.code,
    hint: `mend what the server says, or do it by hand: ${sql};`,
    cause: error,
  });
}
