import { monotonicMs } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import { GodwitError } from "../../core/error.ts";
import { sleep } from "../../core/interrupt.ts";
import { isDatabaseError } from "../../postgres/database-error.ts";
import { SQLSTATE } from "../../postgres/sqlstate.ts";
import { pauseMs } from "../lock-budget.ts";
import { LockRetry } from "../lock-retry.ts";
import { letStandAlone } from "../stand-alone.ts";
import { watched } from "../statement-events.ts";
import type { Scene } from "./kind.ts";

/**
 * Runs a statement that clears away or completes what was left half done. It waits for locks without a lock_timeout, as the
 * one that it belongs to does, for as long as what is patient may take; a deadlock is tried again.
 * @param options.why for the error, with the object.
 * @param options.blocks it ends with a lock that makes others wait: then it is cancelled for them at max_blocking, and tried again.
 * @throws GodwitError MIGRATION_FAILED, PERMISSION_DENIED, OBJECT_LOCK_TIMEOUT, with the statement to run by hand; the
 *   signal's reason.
 */
export async function complete(
  scene: Scene,
  sql: string,
  { why, blocks = false }: { readonly why: string; readonly blocks?: boolean },
): Promise<void> {
  const { context, planned, statement } = scene;
  const { courtesy, session, signal } = context;
  const { maxBlockingMs, patientTimeoutMs } = courtesy.settings;
  const deadline = patientTimeoutMs === 0 ? Infinity : monotonicMs() + patientTimeoutMs;
  let pause: number | null = null;
  const limits = { lockTimeoutMs: 0, statementTimeoutMs: patientTimeoutMs };
  const retry = new LockRetry(context, planned);
  for (;;) {
    try {
      const putBack = await letStandAlone(session, { limits, isCode: false });
      try {
        const run = (): Promise<unknown> => watched(context, planned, statement, () => session.query(sql));
        await (blocks ? courtesy.blocking.during(run, () => undefined) : run());
      } finally {
        await putBack();
      }
      return;
    } catch (error) {
      if (signal?.aborted === true || !isDatabaseError(error)) throw error;
      const sight = blocks ? courtesy.blocking.judge(error, { inBlock: false, code: false }) : null;
      if (sight !== null && monotonicMs() < deadline) {
        pause = pauseMs(pause, maxBlockingMs, Math.random());
        await retry.failed(`${why}, and others waited for that`, pause);
        await sleep(pause, signal);
        continue;
      }
      await retry.again(error).catch((final: unknown) => {
        if (!isDatabaseError(final)) throw final;
        throw isTooLate(scene, final)
          ? tooLate(scene, final, sql, why)
          : refused(planned.id, final, sql, why);
      });
    }
  }
}

function isTooLate({ context }: Scene, { code }: { readonly code: string }): boolean {
  return code === SQLSTATE.queryCanceled && context.courtesy.settings.patientTimeoutMs > 0;
}

function tooLate({ context, planned }: Scene, error: unknown, sql: string, why: string): GodwitError {
  const { courtesy, watch } = context;
  const { direction, id } = planned;
  const { waitingFor } = watch;
  const within = formatDuration(courtesy.settings.patientTimeoutMs);
  return new GodwitError("OBJECT_LOCK_TIMEOUT", `${id}: ${why}, and that was not done within ${within}`, {
    sqlstate: SQLSTATE.queryCanceled,
    ...(waitingFor === null ? {} : { detail: `it waited for ${waitingFor}` }),
    hint: `allow it more time: godwit ${direction} --patient-timeout 4h\nor do it by hand: ${sql};`,
    cause: error,
  });
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
