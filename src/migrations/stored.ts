import { lineComments } from "../sql/lexer.ts";
import { readMarkers } from "./markers.ts";
import { parseTexts } from "./parse.ts";
import { assertNoProblems } from "./problems.ts";
import type { Migration, MigrationKind } from "./types.ts";

/** A migration of SQL as the history keeps it. */
export interface StoredMigration {
  readonly stream: string;
  readonly id: string;
  readonly kind: MigrationKind;
  readonly checksum: string;
  /** `Section.sql` of both directions, as they were when it was applied. */
  readonly upSql: string;
  readonly downSql: string | null;
}

/**
 * Parses a migration from what the history stored of it, so that `down` works without the file: with its settings,
 * and lines counted as in the file.
 * @throws GodwitError MIGRATION_MALFORMED when the stored text cannot be understood.
 */
export async function parseStored(stored: StoredMigration): Promise<Migration> {
  const { stream, id, kind, checksum, upSql, downSql } = stored;
  const path = `history of ${stream}/${id}`;
  const oneFile = downSql === null || beginsWithDown(downSql);
  const { migration, problems } = await parseTexts(
    { stream, id, kind, checksum, format: oneFile ? "sql" : "folder", path, downPath: oneFile ? null : path },
    oneFile ? { up: upSql + (downSql ?? ""), down: null } : { up: upSql, down: downSql },
  );
  assertNoProblems(problems);
  return { ...migration!, checksum };
}

/** Only a file with sections has one that begins with its marker; down.sql of a folder has none. */
function beginsWithDown(sql: string): boolean {
  const [first] = readMarkers(lineComments(sql)).markers;
  return first?.direction === "down";
}
