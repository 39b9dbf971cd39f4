import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import type { StreamConfig } from "../config/types.ts";
import type { LockedTarget } from "../execute/locked-target.ts";
import { runPlan } from "../execute/run-plan.ts";
import { readHistory, readSnapshot } from "../history/read.ts";
import type { WorkLeft } from "../lock/poll.ts";
import type { HistorySnapshot } from "../history/read.ts";
import type { Graph } from "../migrations/graph.ts";
import type { Migration, MigrationFile } from "../migrations/types.ts";
import { isApplied } from "../plan/compare.ts";
import { plannedWithAlone } from "../plan/replan.ts";
import { runDown, stillThere } from "./down.ts";
import { downTurns } from "./down-order.ts";
import { downSelection, makeDownPlan, type DownPlan } from "./down-plan.ts";
import type { FleetIo } from "./io.ts";
import type { RedoOptions } from "./options.ts";
import type { RunResult } from "./results.ts";
import { finishRun } from "./run-outcome.ts";
import { filesOf, selectOneStream } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";
import { LastingTarget, type Place } from "./lasting-target.ts";
import { TargetRun } from "./target-run.ts";
import { graphOf, parsePending } from "./bring-up.ts";
import { assertStorable } from "./storable-files.ts";
import { makeUpPlan } from "./up-plan.ts";
import { compareWithHistory } from "../plan/compare.ts";

/**
 * Takes the last applied migrations back and applies them again from their files, under one lock. For development: this is how
 * an edited file is tried out.
 * @throws GodwitError as `down` and `up`; before anything runs if a file is gone or malformed.
 */
export async function redo(io: FleetIo, options: RedoOptions): Promise<RunResult> {
  const started = monotonicMs();
  const selection = downSelection(options.steps === undefined ? {} : { steps: options.steps });
  const stream = selectOneStream(io.config, options.streams, "redo");
  const files = filesOf(io, stream);
  const target = await resolveTarget(io, stream);
  const run = new TargetRun(target);
  let chosen: Chosen | null = null;
  await withTargetSession(io, target, async (opened) => {
    const { facts, ...first } = await readSnapshot(opened, target.scope);
    const isThere = ({ rows }: HistorySnapshot): boolean => rows.some(isApplied);
    if (!isThere(first)) return;
    const look = (snapshot: HistorySnapshot): WorkLeft => ({
      needed: chosen !== null || isThere(snapshot),
      pending: null,
    });
    const lasting = new LastingTarget(io, run, { session: opened, facts });
    const body = async ({ context, snapshot }: LockedTarget, { session }: Place): Promise<void> => {
      // Another attempt goes on with what the first one chose: what of it is there, unless all of it was taken back.
      const there = chosen === null ? null : stillThere(snapshot, chosen.ids).length;
      if (chosen !== null && there === 0) chosen.isBack = true;
      if (chosen?.isBack !== true) {
        const left = there === null ? selection : { steps: there };
        const back = await makeDownPlan(io, session, target, files, snapshot, left);
        chosen ??= await choose(io, stream, target, files, snapshot, { session, facts }, back);
        run.warn(io, back.plan.warnings);
        await runDown(context, back, run);
        chosen.isBack = true;
      }
      const { ids, parsed, graph, withRepeatables } = chosen;
      const fresh = await readHistory(session, target.scope);
      const comparison = compareWithHistory(files, fresh.rows);
      const request = {
        files,
        snapshot: fresh,
        graph,
        selection: {},
        reapply: false,
        only: ids,
        withRepeatables,
        parsed,
      };
      const plan = await makeUpPlan(io, session, target, request, { comparison, warnings: [] });
      await runPlan(context, plan, {
        onDone: (outcome) => run.add(outcome, "up"),
        onUnfinished: (id) => run.stoppedAt(id),
        replan: (planned, ordinal) =>
          plannedWithAlone(planned, parsed.get(`${planned.kind} ${planned.id}`)!.up, ordinal),
      });
    };
    try {
      await lasting.locked(look, body);
    } finally {
      lasting.close();
    }
  }).catch((error: unknown) => {
    if (io.signal?.aborted === true || !(error instanceof GodwitError)) throw error;
    run.error = error;
  });
  const { error, durationMs } = run.result();
  io.emit({ type: "target.finished", target: target.id, applied: run.count, durationMs, error });
  return finishRun(io, [run], monotonicMs() - started);
}

/** What a redo acts on, decided once. */
interface Chosen {
  readonly ids: ReadonlySet<string>;
  readonly parsed: Map<string, Migration>;
  readonly graph: Graph;
  /** Going back made them due; what was due before is not the business of a redo. */
  readonly withRepeatables: boolean;
  /** All of it was taken back. */
  isBack: boolean;
}

/** Reads the files of what is to be taken back, and tells of the target. @throws GodwitError MIGRATION_UNKNOWN and what is wrong with a file. */
async function choose(
  io: FleetIo,
  stream: StreamConfig,
  target: Target,
  files: readonly MigrationFile[],
  snapshot: HistorySnapshot,
  { session, facts }: Place,
  back: DownPlan,
): Promise<Chosen> {
  const ids = new Set(back.plan.migrations.map((migration) => migration.id));
  const again = files.filter((file) => file.kind === "versioned" && ids.has(file.id));
  assertFiles(ids, new Set(again.map((file) => file.id)));
  // Every repeatable: going back makes them due.
  const repeatables = files.filter((file) => file.kind === "repeatable");
  const parsed = await parsePending(io, [{ ...compareWithHistory([], []), pending: again, repeatables }]);
  await assertStorable(io, { session, facts }, [...(parsed.get(stream.name)?.values() ?? [])]);
  const before = compareWithHistory(files, snapshot.rows);
  const graph = graphOf(
    io,
    new Map([[stream.name, files]]),
    parsed,
    new Map([[stream.name, before.applied]]),
  );
  io.emit({
    type: "target.started",
    target: target.id,
    database: target.label,
    server: `PostgreSQL ${facts.versionText}`,
    pending: ids.size * 2,
  });
  await downTurns(io, [{ stream, target, facts, planned: back }]);
  return {
    ids,
    parsed: parsed.get(stream.name) ?? new Map<string, Migration>(),
    graph,
    withRepeatables: before.repeatables.length === 0,
    isBack: false,
  };
}

function assertFiles(wanted: ReadonlySet<string>, found: ReadonlySet<string>): void {
  const gone = [...wanted].filter((id) => !found.has(id));
  if (gone.length === 0) return;
  throw new GodwitError("MIGRATION_UNKNOWN", `cannot apply again what has no file: ${gone.join(", ")}`, {
    hint: "put the file back, or take it back alone: godwit down 1",
  });
}
