import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { readOpenSteps, readSnapshot } from "../history/read.ts";
import { findNode } from "../migrations/pending.ts";
import { compareIds } from "../migrations/order.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { parseMigrations } from "../migrations/parse.ts";
import { assertNoProblems } from "../migrations/problems.ts";
import { compareWithHistory } from "../plan/compare.ts";
import { actEntry, recordOfFile } from "./adopt-files.ts";
import { fleetGraph } from "./fleet-graph.ts";
import type { FleetIo } from "./io.ts";
import type { BaselineOptions } from "./options.ts";
import type { RunResult } from "./results.ts";
import { finishRun } from "./run-outcome.ts";
import { filesOf, selectOneStream } from "./streams.ts";
import { assertStorable } from "./storable-files.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { lockTarget } from "./lock-target.ts";
import { TargetRun } from "./target-run.ts";

/**
 * Adopts an existing database: marks an id and every earlier one as applied without running them, with the texts of the files.
 * What is applied already stays as it is.
 * @throws GodwitError MIGRATION_UNKNOWN; NEEDS_REPAIR if one of them is half applied.
 */
export async function baseline(io: FleetIo, options: BaselineOptions): Promise<RunResult> {
  const started = monotonicMs();
  const stream = selectOneStream(io.config, options.streams, "baseline");
  const files = filesOf(io, stream);
  const graph = fleetGraph(io, new Map([[stream.name, files]]), () => undefined);
  const last = findNode(graph, stream.name, options.id);
  const adopted = files.filter((file) => file.kind === "versioned" && compareIds(file.id, last.id) <= 0);
  const target = await resolveTarget(io, stream);
  const run = new TargetRun(target);
  await withTargetSession(io, target, async (session) => {
    const { facts, ...snapshot } = await readSnapshot(session, target.scope);
    const isLeft = (applied: ReadonlySet<string>): boolean => adopted.some((file) => !applied.has(file.id));
    if (!isLeft(compareWithHistory(files, snapshot.rows).applied)) return;
    const { migrations, problems } = await parseMigrations(adopted, io.signal);
    assertNoProblems(problems);
    await assertStorable(io, { session, facts }, migrations);
    const look = ({ rows }: typeof snapshot): WorkLeft => ({
      needed: isLeft(compareWithHistory(files, rows).applied),
      pending: null,
    });
    await lockTarget(io, target, { session, facts }, look, async ({ context, snapshot: fresh }) => {
      const { applied, rowsById } = compareWithHistory(files, fresh.rows);
      const begun = new Set((await readOpenSteps(session, target.scope)).map((line) => line.id));
      const left = migrations.filter((migration) => !applied.has(migration.id));
      for (const { id } of left) {
        if (rowsById.get(id)?.status === "running" || begun.has(id)) throw halfApplied(id);
      }
      for (const migration of left) {
        const at = monotonicMs();
        await context.writer.write({
          log: [
            actEntry(
              "migration.baseline",
              migration.id,
              `taken as applied: ${migration.id}`,
              options.reason ?? null,
              { checksum: migration.checksum },
            ),
          ],
          migration: recordOfFile(migration, "baseline"),
        });
        const durationMs = monotonicMs() - at;
        run.add({ id: migration.id, kind: "versioned", durationMs, statements: 0, tolerated: [] }, "up");
      }
    });
  });
  return finishRun(io, [run], monotonicMs() - started);
}

function halfApplied(id: string): GodwitError {
  return new GodwitError("NEEDS_REPAIR", `${id} is half applied, so it cannot be taken as applied`, {
    hint: `finish it with godwit up, or declare it done: godwit repair mark-applied ${id} --reason "…"`,
  });
}
