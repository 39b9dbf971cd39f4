import type { StreamConfig } from "../config/types.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { runPlan } from "../execute/run-plan.ts";
import { readDetails, readSnapshot, type HistorySnapshot } from "../history/read.ts";
import { isApplied } from "../plan/compare.ts";
import type { DownSelection } from "../plan/plan-down.ts";
import { plannedWithAlone } from "../plan/replan.ts";
import type { Plan } from "../plan/types.ts";
import { downSelection, makeDownPlan, type DownPlan } from "./down-plan.ts";
import type { FleetIo } from "./io.ts";
import type { DownOptions } from "./options.ts";
import type { RunResult } from "./results.ts";
import { finishRun, keepingResult } from "./run-outcome.ts";
import { filesOf, selectOneStream, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";
import { lockTarget, TargetRun } from "./target-run.ts";

/**
 * Takes migrations back, newest application first, by the SQL that was stored when they were applied.
 * With `all`, every selected stream, those that go after others first; otherwise one stream.
 * @throws GodwitError IRREVERSIBLE, NEEDS_REPAIR, MIGRATION_UNKNOWN, GRAPH_UNMET_REQUIREMENT before anything runs;
 *   afterwards as `up`, with the RunResult as `result`.
 */
export async function down(io: FleetIo, options: DownOptions): Promise<RunResult> {
  const started = performance.now();
  const selection = downSelection(options);
  const streams =
    options.all === true
      ? selectStreams(io.config, options.streams).toReversed()
      : [selectOneStream(io.config, options.streams, "down")];
  const runs: TargetRun[] = [];
  for (const stream of streams) {
    const target = await resolveTarget(io, stream);
    const run = new TargetRun(target);
    runs.push(run);
    try {
      await keepingResult(io, runs, started, () => downTarget(io, stream, target, run, selection));
    } catch (error) {
      if (io.signal?.aborted === true || !isGodwitError(error)) throw error;
      run.error = error;
    }
    const { error, durationMs } = run.result();
    io.emit({ type: "target.finished", target: target.id, applied: run.count, durationMs, error });
    if (error !== null) break;
  }
  return finishRun(io, runs, performance.now() - started);
}

async function downTarget(
  io: FleetIo,
  stream: StreamConfig,
  target: Target,
  run: TargetRun,
  selection: DownSelection,
): Promise<void> {
  const files = listed(io, stream);
  await withTargetSession(io, target, async (session) => {
    const { facts, ...snapshot } = await readSnapshot(session, target.scope);
    const first = await makeDownPlan(io, session, target, files, snapshot, selection);
    io.emit({
      type: "target.started",
      target: target.id,
      database: target.label,
      server: `PostgreSQL ${facts.versionText}`,
      pending: first.plan.migrations.length,
    });
    await assertNotRequiredElsewhere(io, stream, first.plan);
    if (first.plan.migrations.length === 0) return;
    await lockTarget(io, target, { session, facts }, hasApplied, async ({ context, snapshot: fresh }) => {
      const planned = await makeDownPlan(io, session, target, files, fresh, selection);
      run.warn(io, planned.plan.warnings);
      await runDown(context, planned, run);
    });
  });
}

/** Runs a plan of `down` and notes what is done. */
export async function runDown(
  context: Parameters<typeof runPlan>[0],
  planned: DownPlan,
  run: TargetRun,
): Promise<void> {
  await runPlan(context, planned.plan, {
    onDone: (outcome) => run.add(outcome, "down"),
    onUnfinished: (id) => (run.unfinished = id),
    replan: (migration, ordinal) => plannedWithAlone(migration, planned.sections.get(migration.id)!, ordinal),
  });
}

/** `down` works without files, so a folder that is gone is no obstacle. */
export function listed(io: FleetIo, stream: StreamConfig): ReturnType<typeof filesOf> {
  try {
    return filesOf(io, stream);
  } catch (error) {
    if (isGodwitError(error, "MIGRATIONS_NOT_FOUND")) return [];
    throw error;
  }
}

function hasApplied(snapshot: HistorySnapshot): boolean {
  return snapshot.rows.some((row) => isApplied(row) || row.status === "running" || row.status === "failed");
}

/** Refuses to take back what an applied migration of another stream requires. @throws GodwitError GRAPH_UNMET_REQUIREMENT. */
async function assertNotRequiredElsewhere(io: FleetIo, stream: StreamConfig, plan: Plan): Promise<void> {
  const taken = new Set(plan.migrations.map((migration) => `${stream.name}/${migration.id}`));
  if (taken.size === 0) return;
  for (const other of io.config.streams) {
    if (other.name === stream.name) continue;
    const target = await resolveTarget(io, other);
    const requiring = await withTargetSession(io, target, async (session) => {
      const { meta } = await readSnapshot(session, target.scope);
      const rows = meta === null ? [] : await readDetails(session, target.scope);
      return rows.find((row) => isApplied(row) && row.requires.some((name) => taken.has(name)));
    });
    if (requiring === undefined) continue;
    throw new GodwitError(
      "GRAPH_UNMET_REQUIREMENT",
      `${other.name}/${requiring.id} is applied and requires what would be taken back`,
      {
        hint: `take it back first: godwit down --stream ${other.name}`,
      },
    );
  }
}
