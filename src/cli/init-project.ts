import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { InitResult } from "../api/types.ts";
import { CONFIG_FILE_NAMES } from "../config/discover.ts";
import { GodwitError } from "../core/error.ts";

const CONFIG = `# What Godwit migrates. Without this file, \`godwit up\` applies ./migrations just the same.
streams:
  default:
    migrations: migrations
    # Without a database here, the environment names it: DATABASE_URL, PG*, or DB_HOST, DB_NAME, DB_USER, DB_PASSWORD.
    # database: "\${SHOP_DATABASE_URL}"
    # database: embedded     # an own PostgreSQL under .godwit/postgres, started on demand
`;

const MIGRATION = `-- The first migration. Everything between "up" and "down" runs in one transaction with its entry in the history.
-- migrate:up
CREATE TABLE notes (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  body       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
DROP TABLE notes;
`;

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/**
 * Sets up a project: a configuration and a folder of migrations with a first one. What is there already is never
 * overwritten: a folder of migrations that holds anything gets nothing added.
 * @param folder absolute, or relative to `cwd`; made if it does not exist.
 * @param now milliseconds since the epoch; names the first migration.
 * @throws GodwitError USAGE when the folder cannot be written.
 */
export function initProject(folder: string, cwd: string, now: number): InitResult {
  const root = resolve(cwd, folder);
  const created: string[] = [];
  const existed: string[] = [];
  try {
    const config = list(root).find((name) => CONFIG_FILE_NAMES.includes(name));
    const path = join(root, config ?? "godwit.config.yaml");
    if (config === undefined) create(path, CONFIG, created);
    else existed.push(path);
    const migrations = join(root, "migrations");
    if (list(migrations).length > 0) existed.push(migrations);
    else {
      const time = new Date(now).toISOString().replaceAll(/\D/g, "").slice(0, 14);
      create(join(migrations, `${time}_notes.sql`), MIGRATION, created);
    }
  } catch (error) {
    if (error instanceof GodwitError) throw error;
    throw new GodwitError(
      "USAGE",
      `cannot set up ${root}: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: "name a folder that can be written: godwit init DIR",
        cause: error,
      },
    );
  }
  return { created, existed };
}

function create(path: string, text: string, created: string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { flag: "wx" });
  created.push(path);
}
