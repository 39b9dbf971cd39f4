import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { parseMigration, parseMigrations } from "../parse.ts";
import type { Migration, MigrationFile } from "../types.ts";

/** Folder of the test that runs. */
export let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "godwit-parse-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Writes a migration and says how it would be listed. */
export function file(text: string | Buffer, options: Partial<MigrationFile> = {}): MigrationFile {
  const path = join(directory, "20260101000000_add_users.sql");
  writeFileSync(path, text);
  return {
    stream: "app",
    id: "20260101000000_add_users",
    kind: "versioned",
    format: "sql",
    path,
    downPath: null,
    checksum: "sha256:old",
    ...options,
  };
}

export async function parse(text: string, options: Partial<MigrationFile> = {}): Promise<Migration> {
  return await parseMigration(file(text, options));
}

/** What is wrong with a text: `line:column message | hint`. */
export async function faults(text: string | Buffer, options: Partial<MigrationFile> = {}): Promise<string[]> {
  const { problems } = await parseMigrations([file(text, options)]);
  return problems.map(
    ({ message, hint, location }) =>
      `${location!.line}:${location!.column} ${message}${hint === undefined ? "" : ` | ${hint}`}`,
  );
}

/** The statements of a section. */
export const sqlOf = (section: Migration["up"] | null): string[] | undefined =>
  section?.statements.map(({ sql }) => sql);
