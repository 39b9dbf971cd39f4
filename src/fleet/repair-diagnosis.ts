import type { StreamConfig } from "../config/types.ts";
import { readOpenSteps, readSnapshot } from "../history/read.ts";
import { compareWithHistory } from "../plan/compare.ts";
import { judgeChanges } from "./changed-files.ts";
import type { FleetIo } from "./io.ts";
import type { RepairChoice } from "./results.ts";
import { listed } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { pathShower } from "./up-plan.ts";

/** What needs a person on the target of a stream, with the exact commands to choose from. Reads only. */
export async function diagnose(io: FleetIo, stream: StreamConfig): Promise<RepairChoice[]> {
  const files = listed(io, stream);
  const target = await resolveTarget(io, stream);
  return withTargetSession(io, target, async (session) => {
    const { meta, rows } = await readSnapshot(session, target.scope);
    if (meta === null) return [];
    const comparison = compareWithHistory(files, rows);
    const changes = await judgeChanges(session, target.scope, comparison);
    const ledger = await readOpenSteps(session, target.scope);
    const suffix = io.config.streams.length > 1 ? ` --stream ${stream.name}` : "";
    const command = (action: string, id: string): string =>
      `godwit repair ${action} ${id}${suffix} --reason "…"`;

    const halfIds = new Set([
      ...rows.filter((row) => row.status === "running").map((row) => row.id),
      ...ledger.map((line) => line.id),
    ]);
    const half = [...halfIds].map((id): RepairChoice => {
      const lines = ledger.filter((line) => line.id === id);
      const done = lines.filter((line) => line.state === "done").length;
      const unknown = lines.find((line) => line.state === "intended");
      const back = lines.some((line) => line.direction === "down");
      return {
        target: target.id,
        id,
        problem: "half_applied",
        explanation:
          `${done} of its steps ${done === 1 ? "is" : "are"} done` +
          (unknown === undefined ? "" : `; the outcome of step ${unknown.ordinal} is not in the ledger`),
        choices: [
          {
            command: back ? `godwit down${suffix}` : `godwit up${suffix}`,
            effect: "goes on where it stopped, if the catalog can tell what is done",
          },
          {
            command: command("mark-applied", id),
            effect: "takes all of it as applied; the database must be as after its up",
          },
          {
            command: command("mark-not-applied", id),
            effect: "takes none of it as applied; the database must be as before its up",
          },
        ],
      };
    });
    const edited = changes.map(({ file, change }): RepairChoice => ({
      target: target.id,
      id: file.id,
      problem: "checksum",
      explanation:
        change === "edited"
          ? "its statements were edited after it was applied"
          : change === "down"
            ? "its way down was edited after it was applied"
            : "its comments or white space were edited after it was applied",
      choices: [
        {
          command: `git checkout <commit> -- ${pathShower(io)(file.path)}`,
          effect: "puts the file back as it was applied",
        },
        {
          command: command("accept-checksum", file.id),
          effect: "stores the file as it is now; nothing is run",
        },
      ],
    }));
    const missing = comparison.missing.map((row): RepairChoice => ({
      target: target.id,
      id: row.id,
      problem: "missing",
      explanation: "it is applied and its file is gone",
      choices: [
        {
          command: `git checkout <commit> -- ${pathShower(io)(stream.migrations)}`,
          effect: "puts the file back",
        },
        {
          command: command("forget", row.id),
          effect: "removes it from the history; what it did stays in the database",
        },
      ],
    }));
    return [...half, ...edited, ...missing];
  });
}
