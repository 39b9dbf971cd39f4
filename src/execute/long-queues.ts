import { formatDuration } from "../core/duration.ts";
import { isPatientStep } from "../plan/patient-step.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";

const NAMED = 3;

/**
 * Warns, once, of migrations that may queue for a lock longer than others may wait: everybody queues behind them, so that
 * they are cancelled where a shorter lock_timeout would let others through and try again.
 */
export function warnOfLongQueues(
  { courtesy, emit, target }: Pick<ExecutionContext, "courtesy" | "emit" | "target">,
  migrations: readonly PlannedMigration[],
): void {
  const { maxBlockingMs } = courtesy.settings;
  if (maxBlockingMs === 0) return;
  const long = migrations.filter(
    ({ lockTimeoutMs, steps }) =>
      (lockTimeoutMs === 0 || lockTimeoutMs > maxBlockingMs) && !steps.every(isPatientStep),
  );
  const [first] = long;
  if (first === undefined) return;
  const ids = long.slice(0, NAMED).map(({ id }) => id);
  const more = long.length > NAMED ? ` and ${long.length - NAMED} more` : "";
  const longest =
    first.lockTimeoutMs === 0
      ? "no lock_timeout"
      : `a lock_timeout of ${formatDuration(first.lockTimeoutMs)}`;
  emit({
    type: "warning",
    target,
    message: `${ids.join(", ")}${more}: with ${longest} it may queue for longer than others may wait behind it, which is ${formatDuration(maxBlockingMs)}; then it is cancelled`,
    hint: "a lock_timeout below max_blocking lets others through in time, and the migration is tried again",
  });
}
