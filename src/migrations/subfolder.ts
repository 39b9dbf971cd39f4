import { readdirSync, type Dirent } from "node:fs";
import { join } from "node:path";
import type { ForeignTool } from "./foreign-tools.ts";

/** What a folder inside a folder of migrations is. */
export type Subfolder =
  | { readonly is: "migration"; readonly hasDown: boolean }
  | { readonly is: "foreign"; readonly tool: ForeignTool; readonly example: string }
  | { readonly is: "problem"; readonly message: string; readonly hint: string }
  /** Helpers of code migrations, data and the like. */
  | { readonly is: "ignored" };

const LAYOUTS: readonly (readonly [
  ForeignTool,
  (folder: string, names: ReadonlySet<string>) => string | null,
])[] = [
  [
    "Drizzle",
    (_, names) => (names.has("migration.sql") && names.has("snapshot.json") ? "migration.sql" : null),
  ],
  ["Drizzle", (folder, names) => (folder === "meta" && names.has("_journal.json") ? "_journal.json" : null)],
  ["Prisma", (_, names) => (names.has("migration.sql") ? "migration.sql" : null)],
  ["Alembic", (folder, names) => (folder === "versions" ? find(names, /\.py$/) : null)],
  ["Sqitch", (folder, names) => (/^(?:deploy|revert|verify)$/.test(folder) ? find(names, /\.sql$/) : null)],
  ["graphile-migrate", (folder, names) => (folder === "committed" ? find(names, /^\d{6}.*\.sql$/) : null)],
  ["db-migrate", (folder, names) => (folder === "sqls" ? find(names, /-(?:up|down)\.sql$/) : null)],
];

/**
 * Looks into a folder inside a folder of migrations: `<id>/up.sql` with an optional `down.sql` is a migration.
 * SQL files anywhere else inside it are a problem, since nothing would run them.
 * @throws the error of node:fs when it cannot be read.
 */
export function readSubfolder(directory: string, folder: string): Subfolder {
  const entries = readdirSync(join(directory, folder), { withFileTypes: true });
  const names = new Set(entries.map((entry) => entry.name));
  for (const [tool, recognise] of LAYOUTS) {
    const example = recognise(folder, names);
    if (example !== null) return { is: "foreign", tool, example: `${folder}/${example}` };
  }
  const stray = entries.find(isStray);
  if (names.has("up.sql")) {
    return stray === undefined
      ? { is: "migration", hasDown: names.has("down.sql") }
      : {
          is: "problem",
          message: `${folder}/${stray.name} would not be run: only up.sql and down.sql are`,
          hint: "put its SQL into up.sql, or make it a migration of its own",
        };
  }
  if (names.has("down.sql") || (stray === undefined && /^\d{4,}/.test(folder))) {
    return {
      is: "problem",
      message: `${folder}/ has no up.sql`,
      hint: `write ${folder}/up.sql, or delete the folder`,
    };
  }
  if (stray === undefined) return { is: "ignored" };
  return {
    is: "problem",
    message: `${folder}/${stray.name} would not be run: folders inside the folder of migrations are not searched`,
    hint: "move the files one level up, name it <id>/up.sql, or give the folder a stream of its own in the configuration",
  };
}

function isStray(entry: Dirent): boolean {
  const { name } = entry;
  if (name.startsWith(".") || entry.isDirectory() || name === "up.sql" || name === "down.sql") return false;
  return (
    /\.sql$/i.test(name) ||
    /^\d{4,}.*\.(?:ts|js|mjs)$/.test(name) ||
    /^(?:up|down)\.(?:ts|js|mjs)$/.test(name)
  );
}

function find(names: ReadonlySet<string>, pattern: RegExp): string | null {
  for (const name of names) if (pattern.test(name)) return name;
  return null;
}
