import { dirname, join } from "node:path";
import type { StreamConfig } from "../config/types.ts";
import { shellWord } from "../core/shell-word.ts";
import type { HistoryDetail } from "../history/types.ts";
import type { MigrationFile } from "../migrations/types.ts";

/**
 * The command that takes files of migrations out of version control again, and no other file: what else was edited and
 * not committed yet is not overwritten.
 * @param paths of one migration or several, as `filesOfMigration` or `goneFiles` tell. @param showPath as `pathShower` makes it.
 */
export function putBackCommand(paths: readonly string[], showPath: (path: string) => string): string {
  return `git checkout <commit> -- ${paths.map((path) => shellWord(showPath(path))).join(" ")}`;
}

/** What a migration consists of on disk, as absolute paths: of up.sql and down.sql the folder in which they lie. */
export function filesOfMigration({ format, path }: MigrationFile): string[] {
  return [format === "folder" ? dirname(path) : path];
}

/**
 * Where the files of a migration were that are gone. Of code the history does not keep how the name ended, so that this is a
 * pattern of git's for it.
 */
export function goneFiles(
  { migrations }: StreamConfig,
  { id, kind, format }: Pick<HistoryDetail, "id" | "kind" | "format">,
): string[] {
  const stem = kind === "repeatable" ? `${id}.repeatable` : id;
  return [join(migrations, format === "folder" ? stem : `${stem}${format === "code" ? ".*" : ".sql"}`)];
}
