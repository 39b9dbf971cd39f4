import { throwIfAborted } from "../core/interrupt.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { checksumOf } from "../sql/checksum.ts";
import { describeId } from "./description.ts";
import { checksumOfBoth } from "./discover.ts";
import { keptBytes } from "./kept-bytes.ts";
import { parseCode } from "./parse-code.ts";
import { parseSql, type ParsedSql } from "./parse-sql.ts";
import { assertNoProblems, locate } from "./problems.ts";
import { readText } from "./read-text.ts";
import type { Migration, MigrationFile } from "./types.ts";

/** The texts of a migration of SQL: a file's text is `up` alone. */
export interface SqlTexts {
  readonly up: string;
  /** The text of a folder's down.sql. */
  readonly down: string | null;
}

/**
 * Reads and parses a migration. A code migration is loaded, so the top level of its module runs.
 * The checksum is that of the text that was parsed, should the file have changed since it was listed.
 * @throws GodwitError MIGRATION_MALFORMED or MIGRATION_FOREIGN_FORMAT with all that is wrong with it.
 */
export async function parseMigration(file: MigrationFile): Promise<Migration> {
  const { migrations, problems } = await parseMigrations([file]);
  assertNoProblems(problems);
  return migrations[0]!;
}

/**
 * Reads and parses migrations, so that everything wrong with any of them can be told in one go.
 * @returns the sound ones in the order given, and the problems; see `assertNoProblems`.
 * @throws GodwitError only when `signal` is aborted.
 */
export async function parseMigrations(
  files: readonly MigrationFile[],
  signal?: AbortSignal,
): Promise<{ readonly migrations: Migration[]; readonly problems: GodwitError[] }> {
  const migrations: Migration[] = [];
  const problems: GodwitError[] = [];
  for (const file of files) {
    throwIfAborted(signal);
    const read = await parseFile(file);
    problems.push(...read.problems);
    if (read.migration !== null) migrations.push(read.migration);
  }
  return { migrations, problems };
}

/** A migration, or why there is none. */
interface ReadMigration {
  readonly migration: Migration | null;
  readonly problems: readonly GodwitError[];
}

async function parseFile(file: MigrationFile): Promise<ReadMigration> {
  try {
    const kept = keptBytes(file);
    const text = readText(file.path, kept);
    if (file.format === "code") return await parseCode(file, text);
    const down = file.downPath === null ? null : readText(file.downPath);
    return await parseTexts(file, { up: text, down }, kept === null ? null : file.checksum);
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    return { migration: null, problems: error.problems.length > 0 ? error.problems : [error] };
  }
}

/**
 * Parses a migration of SQL from its texts, wherever they come from.
 * @param checksum of the texts, where it is known.
 * @param file for a folder its `path` and `downPath` name the two texts in messages.
 */
export async function parseTexts(
  file: MigrationFile,
  texts: SqlTexts,
  checksum: string | null = null,
): Promise<ReadMigration> {
  const { stream, path } = file;
  const role = file.kind === "repeatable" ? "repeatable" : file.format === "folder" ? "up" : "file";
  const main = await parseSql({ stream, file: path, text: texts.up, role });
  const undo =
    texts.down === null
      ? null
      : await parseSql({ stream, file: file.downPath ?? path, text: texts.down, role: "down" });
  const down = undo === null ? main.down : undo.down;
  const problems = [...main.problems, ...(undo?.problems ?? [])];
  if (problems.length === 0) problems.push(...contradictions(file, texts.up, main, down !== null));
  const { up, settings } = main;
  if (problems.length > 0 || up === null) return { migration: null, problems };
  const migration: Migration = {
    ...file,
    checksum: checksum ?? checksumOfTexts(texts),
    description: settings.description ?? describeId(file.id),
    requires: settings.requires,
    irreversible: settings.irreversible,
    lockTimeoutMs: settings.lockTimeoutMs,
    statementTimeoutMs: settings.statementTimeoutMs,
    tolerateExisting: settings.tolerateExisting,
    up,
    down,
  };
  return { migration: Object.freeze(migration), problems };
}

function checksumOfTexts({ up, down }: SqlTexts): string {
  return down === null ? checksumOf(up) : checksumOfBoth(checksumOf(up), checksumOf(down));
}

/** What is right by itself but does not go together. */
function contradictions(
  file: MigrationFile,
  text: string,
  { up, settings }: ParsedSql,
  hasDown: boolean,
): GodwitError[] {
  const problem = (message: string, hint: string): GodwitError =>
    new GodwitError("MIGRATION_MALFORMED", message, { hint, location: locate(file.path, text, 1, 1) });
  if (up === null) {
    return [
      problem(
        "there is nothing to do in `up`",
        "write its SQL or delete the file; where it shall do nothing, write `SELECT;`",
      ),
    ];
  }
  if (settings.irreversible !== null && hasDown) {
    return [
      problem(
        "it is called irreversible but has a way down",
        "delete `-- godwit:irreversible`, or the down section",
      ),
    ];
  }
  return [];
}
