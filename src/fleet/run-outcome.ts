import { monotonicMs } from "../core/clock.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import type { FleetIo } from "./io.ts";
import type { RunResult } from "./results.ts";
import type { TargetRun } from "./target-run.ts";

/**
 * Sums up a run over targets.
 * @throws GodwitError the target's own error if there is one target; PARTIAL_FAILURE if one of several failed. `result`
 *   of the error keeps what succeeded.
 */
export function finishRun(io: FleetIo, runs: readonly TargetRun[], durationMs: number): RunResult {
  const result = resultOf(io, runs, durationMs);
  const { targets } = result;
  const failed = targets.filter((target) => target.error !== null);
  const [first] = failed;
  if (first === undefined) return result;
  if (targets.length === 1) throw withResult(first.error!, result);
  const skipped = targets.filter((target) => target.skipped !== null);
  const names = failed.map((target) => target.target).join(", ");
  const left =
    skipped.length === 0
      ? ""
      : `; not begun for that reason: ${skipped.map((target) => target.target).join(", ")}`;
  throw new GodwitError(
    "PARTIAL_FAILURE",
    `${failed.length} of ${targets.length} targets failed: ${names}${left}`,
    {
      problems: failed.map((target) => target.error!),
      hint: "mend what failed, then: godwit up",
      result,
    },
  );
}

/** Runs `body`; an interruption that ends it carries what was done before. */
export async function keepingResult<T>(
  io: FleetIo,
  runs: readonly TargetRun[],
  started: number,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    for (const run of runs) if (run.skipped === null) run.error ??= error;
    throw withResult(error, resultOf(io, runs, monotonicMs() - started));
  }
}

function resultOf(io: FleetIo, runs: readonly TargetRun[], durationMs: number): RunResult {
  const targets = runs.map((run) => run.result());
  const total = targets.reduce((sum, target) => sum + target.migrations.length, 0);
  return { runId: io.run.runId, targets, total, durationMs };
}

/** The same error, with what was done before it. */
export function withResult(error: GodwitError, result: unknown): GodwitError {
  return new GodwitError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.location === undefined ? {} : { location: error.location }),
    ...(error.sqlstate === undefined ? {} : { sqlstate: error.sqlstate }),
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    problems: error.problems,
    cause: error.cause,
    result,
  });
}
