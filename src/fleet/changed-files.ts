import { GodwitError } from "../core/error.ts";
import { readDetails, type HistoryScope } from "../history/read.ts";
import type { HistoryDetail } from "../history/types.ts";
import { parseMigrations } from "../migrations/parse.ts";
import type { MigrationFile } from "../migrations/types.ts";
import type { Comparison } from "../plan/compare.ts";
import type { Session } from "../postgres/session.ts";
import { filesOfMigration, putBackCommand } from "./put-back.ts";
import { isStoredWayDown } from "./same-way-down.ts";

/** What became of the file of an applied migration. */
export interface ChangedFile {
  readonly file: MigrationFile;
  /**
   * `edited`: the statements of `up` differ. `reformatted`: only comments and white space do, in either direction.
   * `down`: the statements of the way down do; what is stored is what runs.
   */
  readonly change: "edited" | "reformatted" | "down";
}

/**
 * Tells edits that matter from those that do not, for applied files with another checksum. Only these are parsed;
 * a file that cannot be parsed any more counts as edited, and so does any code.
 */
export async function judgeChanges(
  session: Session,
  scope: HistoryScope,
  comparison: Comparison,
): Promise<readonly ChangedFile[]> {
  if (comparison.changed.length === 0) return [];
  const details = new Map((await readDetails(session, scope)).map((row) => [`${row.kind} ${row.id}`, row]));
  const judged: ChangedFile[] = [];
  for (const { file } of comparison.changed) {
    const row = details.get(`${file.kind} ${file.id}`);
    judged.push({ file, change: await judge(session, scope, file, row) });
  }
  return judged;
}

async function judge(
  session: Session,
  scope: HistoryScope,
  file: MigrationFile,
  row: HistoryDetail | undefined,
): Promise<ChangedFile["change"]> {
  if (file.format === "code" || row === undefined) return "edited";
  const { migrations, problems } = await parseMigrations([file]);
  const [migration] = migrations;
  if (migration === undefined || problems.length > 0) return "edited";
  const hashes = migration.up.statements.map((statement) => statement.hash);
  if (
    hashes.length !== row.statementHashes.length ||
    hashes.some((hash, index) => hash !== row.statementHashes[index])
  ) {
    return "edited";
  }
  return (await isStoredWayDown(session, scope, row, migration.down)) ? "reformatted" : "down";
}

/**
 * @throws GodwitError CHECKSUM_MISMATCH naming every edited file; nothing was run.
 */
export function assertNoEdits(changed: readonly ChangedFile[], showPath: (path: string) => string): void {
  const problems = changed
    .filter(({ change }) => change === "edited")
    .map(
      ({ file }) =>
        new GodwitError("CHECKSUM_MISMATCH", `${file.id} is applied, and its file was edited since`, {
          location: { file: showPath(file.path), line: 1, column: 1 },
          hint:
            `put the file back as it was: ${putBackCommand(filesOfMigration(file), showPath)}\n` +
            "and write the change as a new migration: godwit new <name>\n" +
            `or, if the database already is as the file says: godwit repair accept-checksum ${file.id} --reason "…"`,
        }),
    );
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  throw new GodwitError(
    "CHECKSUM_MISMATCH",
    `${problems.length} applied migrations were edited since; nothing was run`,
    {
      problems,
    },
  );
}

/** One line for each change that does not stop an `up`. */
export function changeWarnings(changed: readonly ChangedFile[]): { message: string; hint: string | null }[] {
  return changed.flatMap(({ file, change }) => {
    if (change === "edited") return [];
    const what =
      change === "down"
        ? "its way down was edited; the stored one is what runs"
        : "only comments or white space";
    return [
      {
        message: `the file of ${file.id} differs from what was applied: ${what}`,
        hint: `to store it as it is now: godwit repair accept-checksum ${file.id} --reason "…"`,
      },
    ];
  });
}
