import type { StreamConfig } from "../config/types.ts";
import { readDetails, readSnapshot } from "../history/read.ts";
import { parseMigrations } from "../migrations/parse.ts";
import type { MigrationFile, MigrationKind } from "../migrations/types.ts";
import { compareWithHistory } from "../plan/compare.ts";
import { judgeChanges } from "./changed-files.ts";
import type { FleetIo } from "./io.ts";
import { filesOfMigration, goneFiles, putBackCommand } from "./put-back.ts";
import type { RepairChoice } from "./results.ts";
import { listed } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { findUnfinished, type Unfinished } from "./unfinished.ts";
import { pathShower } from "./show-path.ts";

/**
 * What needs a person on the target of a stream, with the exact commands to choose from; and, for information, what stopped
 * half-way and goes on by itself. Reads only.
 */
export async function diagnose(io: FleetIo, stream: StreamConfig): Promise<RepairChoice[]> {
  const files = listed(io, stream);
  const target = await resolveTarget(io, stream);
  return withTargetSession(io, target, async (session) => {
    const { meta, rows } = await readSnapshot(session, target.scope);
    if (meta === null) return [];
    const comparison = compareWithHistory(files, rows);
    const changes = await judgeChanges(session, target.scope, comparison);
    const suffix = io.config.streams.length > 1 ? ` --stream ${stream.name}` : "";
    const command = (action: string, id: string): string =>
      `godwit repair ${action} ${id}${suffix} --reason "…"`;

    const unfinished = await findUnfinished(session, target, files, { meta, rows });
    const onlyOne = await ofOneStep([...unfinished.values()], files);
    const stored = await readDetails(session, target.scope);
    const putBack = (id: string, kind: MigrationKind): string => {
      const file = files.find((one) => one.id === id && one.kind === kind);
      const detail = stored.find((one) => one.id === id && one.kind === kind);
      const gone = goneFiles(stream, detail ?? { id, kind, format: "sql" });
      return putBackCommand(file === undefined ? gone : filesOfMigration(file), pathShower(io));
    };
    const half = [...unfinished.values()].map((one): RepairChoice => {
      const { id, direction, obstacle } = one;
      return {
        target: target.id,
        id,
        problem: "half_applied",
        explanation: explain(one),
        needsPerson: obstacle !== null,
        choices: [
          ...(obstacle === null
            ? [
                {
                  command: `godwit ${direction}${suffix}`,
                  effect:
                    one.kind === "repeatable"
                      ? "runs it from its beginning, as any repeatable; nothing has to be decided"
                      : "goes on where it stopped; nothing has to be decided",
                },
              ]
            : []),
          ...(obstacle === "file gone" || obstacle === "edited"
            ? [
                {
                  command: putBack(id, one.kind),
                  effect: `puts ${obstacle === "edited" ? "what is done" : "the file"} back; then \`godwit up${suffix}\` goes on where it stopped`,
                },
              ]
            : []),
          ...(obstacle === "catalog unclear"
            ? [
                {
                  command: `godwit ${direction}${suffix}`,
                  effect:
                    "says what it found in the catalog, and looks again: for once you have changed that",
                },
              ]
            : []),
          ...((obstacle === "outcome unknown" || obstacle === "catalog unclear") && !onlyOne.has(id)
            ? [
                {
                  command: command("mark-step-applied", id),
                  effect: `takes step ${one.unknown} alone as done; then \`godwit ${direction}${suffix}\` goes on behind it`,
                },
                {
                  command: command("mark-step-not-applied", id),
                  effect: `takes step ${one.unknown} alone as not done; then \`godwit ${direction}${suffix}\` runs it again, as the file has it now`,
                },
              ]
            : []),
          ...(obstacle === "file gone"
            ? []
            : [
                {
                  command: command("mark-applied", id),
                  effect: "takes all of it as applied; the database must be as after its up",
                },
              ]),
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
            : "only its comments or white space were edited after it was applied",
      needsPerson: change !== "reformatted",
      choices: [
        {
          command: putBack(file.id, file.kind),
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
      needsPerson: true,
      choices: [
        {
          command: putBack(row.id, row.kind),
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

/** Those of which nothing is done and that have but one statement, or are code: the step is all of the migration. */
async function ofOneStep(
  unfinished: readonly Unfinished[],
  files: readonly MigrationFile[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { id, done, obstacle } of unfinished) {
    if (done > 0 || obstacle === null || obstacle === "file gone" || obstacle === "edited") continue;
    const file = files.find((one) => one.id === id && one.kind === "versioned");
    const { migrations } = await parseMigrations(file === undefined ? [] : [file]);
    if ((migrations[0]?.up.statements.length ?? 0) <= 1) found.add(id);
  }
  return found;
}

function explain({ done, direction, unknown, obstacle }: Unfinished): string {
  const steps = done === 0 ? "no step" : done === 1 ? "1 step" : `${done} steps`;
  const what = `${steps} of its ${direction} ${done > 1 ? "are" : "is"} done`;
  if (obstacle === "file gone") return `${what} and its file is gone`;
  if (obstacle === "edited") return `${what}, and its file says something else there now`;
  if (unknown === null) return what;
  const decides =
    obstacle === null
      ? "the catalog can tell"
      : obstacle === "catalog unclear"
        ? "what is in the catalog does not settle it"
        : "nothing can tell but you";
  return `${what}; the outcome of step ${unknown} is not in the ledger, and ${decides}`;
}
