import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { runPlan } from "../execute/run-plan.ts";
import { readHistory, readSnapshot } from "../history/read.ts";
import type { HistorySnapshot } from "../history/read.ts";
import { isApplied } from "../plan/compare.ts";
import { plannedWithAlone } from "../plan/replan.ts";
import { runDown } from "./down.ts";
import { downTurns } from "./down-order.ts";
import { downSelection, makeDownPlan } from "./down-plan.ts";
import type { FleetIo } from "./io.ts";
import type { RedoOptions } from "./options.ts";
import type { RunResult } from "./results.ts";
import { finishRun } from "./run-outcome.ts";
import { filesOf, selectOneStream } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { lockTarget } from "./lock-target.ts";
import { TargetRun } from "./target-run.ts";
import { graphOf, parsePending } from "./bring-up.ts";
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
  await withTargetSession(io, target, async (session) => {
    const { facts, ...first } = await readSnapshot(session, target.scope);
    const isThere = ({ rows }: HistorySnapshot): boolean => rows.some(isApplied);
    if (!isThere(first)) return;
    await lockTarget(
      run.following(io),
      target,
      { session, facts },
      (seen) => ({ needed: isThere(seen), pending: null }),
      async ({ context, snapshot }) => {
        const back = await makeDownPlan(io, session, target, files, snapshot, selection);
        const ids = new Set(back.plan.migrations.map((migration) => migration.id));
        const again = files.filter((file) => file.kind === "versioned" && ids.has(file.id));
        assertFiles(ids, new Set(again.map((file) => file.id)));
        // Every repeatable: going back makes them due.
        const repeatables = files.filter((file) => file.kind === "repeatable");
        const parsed = await parsePending(io, [
          { ...compareWithHistory([], []), pending: again, repeatables },
        ]);
        const graph = graphOf(
          io,
          new Map([[stream.name, files]]),
          parsed,
          new Map([[stream.name, compareWithHistory(files, snapshot.rows).applied]]),
        );
        io.emit({
          type: "target.started",
          target: target.id,
          database: target.label,
          server: `PostgreSQL ${facts.versionText}`,
          pending: ids.size * 2,
        });
        await downTurns(io, [{ stream, target, facts, planned: back }]);
        run.warn(io, back.plan.warnings);
        await runDown(context, back, run);

        const fresh = await readHistory(session, target.scope);
        const comparison = compareWithHistory(files, fresh.rows);
        const own = parsed.get(stream.name) ?? new Map();
        const request = {
          files,
          snapshot: fresh,
          graph,
          selection: {},
          reapply: false,
          only: ids,
          // Going back made them due; what was due before is not the business of a redo.
          withRepeatables: compareWithHistory(files, snapshot.rows).repeatables.length === 0,
          parsed: own,
        };
        const plan = await makeUpPlan(io, session, target, request, { comparison, warnings: [] });
        await runPlan(context, plan, {
          onDone: (outcome) => run.add(outcome, "up"),
          onUnfinished: (id) => run.stoppedAt(id),
          replan: (planned, ordinal) =>
            plannedWithAlone(planned, own.get(`${planned.kind} ${planned.id}`)!.up, ordinal),
        });
      },
    );
  }).catch((error: unknown) => {
    if (io.signal?.aborted === true || !(error instanceof GodwitError)) throw error;
    run.error = error;
  });
  const { error, durationMs } = run.result();
  io.emit({ type: "target.finished", target: target.id, applied: run.count, durationMs, error });
  return finishRun(io, [run], monotonicMs() - started);
}

function assertFiles(wanted: ReadonlySet<string>, found: ReadonlySet<string>): void {
  const gone = [...wanted].filter((id) => !found.has(id));
  if (gone.length === 0) return;
  throw new GodwitError("MIGRATION_UNKNOWN", `cannot apply again what has no file: ${gone.join(", ")}`, {
    hint: "put the file back, or take it back alone: godwit down 1",
  });
}
