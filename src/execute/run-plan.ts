import { throwIfAborted } from "../core/interrupt.ts";
import type { Plan, PlannedMigration } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";
import { assertPoolable } from "./poolable.ts";
import { warnOfLongQueues } from "./long-queues.ts";
import { MustStandAlone, runMigration, type MigrationOutcome } from "./run-migration.ts";
import { isWhole } from "./whole/whole.ts";
import { WholeRunner } from "./whole/run-whole.ts";

/** Migrations that are shown to the runner, which may send some of them ahead. */
const LOOK_AHEAD = 16;

export interface RunPlanOptions {
  /** Called for each migration that is done, so that what succeeded is known even when a later one fails. */
  readonly onDone: (outcome: MigrationOutcome) => void;
  /** Called for a migration of several steps that stopped in the middle: what is done of it stays. */
  readonly onUnfinished: (id: string) => void;
  /** Plans a migration anew, with one more statement standing alone. */
  readonly replan: (planned: PlannedMigration, ordinal: number) => PlannedMigration;
}

/**
 * Runs a plan to its end or to its first failure.
 * @throws as `runMigration`; GodwitError POOLER_NEEDS_DIRECT_URL, before anything runs.
 */
export async function runPlan(context: ExecutionContext, plan: Plan, options: RunPlanOptions): Promise<void> {
  const total = plan.migrations.length;
  if (context.work.pooled) assertPoolable(plan.migrations);
  warnOfLongQueues(context, plan.migrations);
  const runner = new WholeRunner(context, plan.migrations);
  try {
    for (const [index, first] of plan.migrations.entries()) {
      // What is on its way may have been committed, so its outcome is waited for and told.
      if (!runner.isUnderWay(first)) throwIfAborted(context.signal);
      const upcoming = plan.migrations.slice(index + 1, index + 1 + LOOK_AHEAD);
      options.onDone(
        await runAdapting(context, runner, first, upcoming, { index: index + 1, total }, options),
      );
      await runner.ready();
    }
  } finally {
    await runner.abandon();
  }
}

/** Each round lets one more statement stand alone, so this ends after as many rounds as there are statements. */
async function runAdapting(
  context: ExecutionContext,
  runner: WholeRunner,
  first: PlannedMigration,
  upcoming: readonly PlannedMigration[],
  place: { readonly index: number; readonly total: number },
  options: RunPlanOptions,
): Promise<MigrationOutcome> {
  for (let planned = first; ;) {
    try {
      return await runMigration(context, runner, planned, upcoming, place);
    } catch (error) {
      if (!(error instanceof MustStandAlone)) {
        if (!isWhole(planned)) options.onUnfinished(planned.id);
        throw error;
      }
      // What was begun before is settled by now.
      const resume =
        error.done === 0 && planned.resume === null ? null : { done: error.done, next: null, begun: null };
      planned = options.replan({ ...planned, resume }, error.ordinal);
      if (context.work.pooled) assertPoolable([planned]);
    }
  }
}
