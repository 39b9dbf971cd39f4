import { monotonicMs } from "../core/clock.ts";
import { isGodwitError } from "../core/error.ts";
import { runPlan } from "../execute/run-plan.ts";
import type { HistorySnapshot } from "../history/read.ts";
import type { HistoryRow } from "../history/types.ts";
import { isApplied } from "../plan/compare.ts";
import type { DownSelection } from "../plan/plan-down.ts";
import { plannedWithAlone } from "../plan/replan.ts";
import { downStreams, downTurns, prepareDown, type DownTurn } from "./down-order.ts";
import { downSelection, makeDownPlan, type DownPlan } from "./down-plan.ts";
import type { FleetIo } from "./io.ts";
import type { DownOptions } from "./options.ts";
import type { RunResult } from "./results.ts";
import { finishRun, keepingResult } from "./run-outcome.ts";
import { listed } from "./streams.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { LastingTarget } from "./lasting-target.ts";
import { TargetRun } from "./target-run.ts";

/**
 * Takes migrations back, newest application first, by the SQL that was stored when they were applied.
 * With `all`, every selected stream, against the order of `up`; otherwise one stream.
 * @throws GodwitError IRREVERSIBLE, NEEDS_REPAIR, MIGRATION_UNKNOWN, GRAPH_UNMET_REQUIREMENT before anything runs;
 *   afterwards as `up`, with the RunResult as `result`.
 */
export async function down(io: FleetIo, options: DownOptions): Promise<RunResult> {
  const started = monotonicMs();
  const selection = downSelection(options);
  const prepared = await prepareDown(io, downStreams(io, options, "down"), selection);
  for (const { target, facts, planned } of prepared) {
    io.emit({
      type: "target.started",
      target: target.id,
      database: target.label,
      server: `PostgreSQL ${facts.versionText}`,
      pending: planned.plan.migrations.length,
    });
  }
  const turns = await downTurns(io, prepared);
  const runs = new Map(prepared.map((one) => [one, new TargetRun(one.target)]));
  await keepingResult(io, [...runs.values()], started, async () => {
    for (const turn of turns) {
      const run = runs.get(turn.prepared)!;
      const alone = turns.every((other) => other === turn || other.prepared !== turn.prepared);
      try {
        await takeTurn(io, turn, run, alone ? selection : null);
      } catch (error) {
        if (io.signal?.aborted === true || !isGodwitError(error)) throw error;
        run.error = error;
        const left = turns.slice(turns.indexOf(turn) + 1).map((one) => runs.get(one.prepared)!);
        for (const other of left)
          if (other.error === null) other.skipped = `${turn.prepared.target.id} goes first and failed`;
        break;
      }
    }
  });
  for (const run of runs.values()) {
    const { target, error, durationMs } = run.result();
    io.emit({ type: "target.finished", target, applied: run.count, durationMs, error });
  }
  return finishRun(io, [...runs.values()], monotonicMs() - started);
}

/** @param selection what to take back, decided again behind the lock; null: what the turn says and is still applied. */
async function takeTurn(
  io: FleetIo,
  { prepared, migrations }: DownTurn,
  run: TargetRun,
  selection: DownSelection | null,
): Promise<void> {
  const { stream, target } = prepared;
  const files = listed(io, stream);
  let chosen: ReadonlySet<string> | null = null;
  const lasting = new LastingTarget(io, run, null);
  try {
    const look = (snapshot: HistorySnapshot): WorkLeft => ({ needed: hasApplied(snapshot), pending: null });
    await lasting.locked(look, async ({ context, snapshot }, { session }) => {
      // Another attempt goes on with what the first one chose.
      const left = chosen === null ? null : stillThere(snapshot, chosen).length;
      if (left === 0) return;
      const whole = left === null ? (selection ?? { steps: migrations.length }) : { steps: left };
      const planned = await makeDownPlan(io, session, target, files, snapshot, whole);
      const mine = chosen ?? new Set(migrations.map(({ id }) => id));
      const all = chosen === null && selection !== null;
      const own = planned.plan.migrations.filter(({ id }) => all || mine.has(id));
      chosen ??= new Set(own.map(({ id }) => id));
      run.warn(io, planned.plan.warnings);
      await runDown(context, { ...planned, plan: { ...planned.plan, migrations: own } }, run);
    });
  } finally {
    lasting.close();
  }
}

/** Runs a plan of `down` and notes what is done. */
export async function runDown(
  context: Parameters<typeof runPlan>[0],
  planned: DownPlan,
  run: TargetRun,
): Promise<void> {
  await runPlan(context, planned.plan, {
    onDone: (outcome) => run.add(outcome, "down"),
    onUnfinished: (id) => run.stoppedAt(id),
    replan: (migration, ordinal) => plannedWithAlone(migration, planned.sections.get(migration.id)!, ordinal),
  });
}

function hasApplied(snapshot: HistorySnapshot): boolean {
  return snapshot.rows.some(isThere);
}

function isThere(row: HistoryRow): boolean {
  return isApplied(row) || row.status === "running" || row.status === "failed";
}

/** Which of these ids a way down is yet to take back, as a whole or the rest of it. */
export function stillThere({ rows }: HistorySnapshot, ids: ReadonlySet<string>): readonly HistoryRow[] {
  return rows.filter((row) => row.kind === "versioned" && ids.has(row.id) && isThere(row));
}
