import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { GodwitError } from "../../src/core/error.ts";
import type { ErrorCode } from "../../src/core/error-codes.ts";
import {
  createGodwit,
  type Godwit,
  type GodwitEvent,
  type GodwitOptions,
  type Run,
} from "../../src/index.ts";
import { testDatabase, type TestDatabase } from "./postgres.ts";

/** Texts by path. */
export type Files = Readonly<Record<string, string>>;

/** A folder with migrations and a database of a test's own. */
export interface Project {
  /** Absolute path of the project's folder. */
  readonly root: string;
  readonly database: TestDatabase;
  /** Without further options, for the database of the project. */
  readonly godwit: Godwit;
  /** Writes migrations into the folder `migrations`. */
  readonly write: (files: Files) => Promise<void>;
  /** Removes migrations from it. */
  readonly remove: (...names: readonly string[]) => Promise<void>;
  /** Another one for the same folder. */
  readonly open: (options?: GodwitOptions) => Promise<Godwit>;
}

export interface ProjectOptions {
  /** The database; left out: an empty one. */
  readonly database?: TestDatabase;
  /** Of every `Godwit` of the project. */
  readonly options?: GodwitOptions;
}

/** Makes a project of one stream with these migrations. Only inside a test, at the end of which it is gone. */
export async function testProject(files: Files, options: ProjectOptions = {}): Promise<Project> {
  const root = await testFolder();
  const database = options.database ?? (await testDatabase());
  const migrations = join(root, "migrations");
  await mkdir(migrations);
  await writeFiles(migrations, files);
  const open = (more: GodwitOptions = {}): Promise<Godwit> =>
    createGodwit({ cwd: root, env: {}, database: database.url, migrations, ...options.options, ...more });
  return {
    root,
    database,
    godwit: await open(),
    write: (more) => writeFiles(migrations, more),
    remove: async (...names) => {
      for (const name of names) await rm(join(migrations, name), { recursive: true });
    },
    open,
  };
}

/** Makes a folder for the running test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-project-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes texts below a folder, with the folders they lie in. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The error that a verb ends with. */
export async function failureOf(work: PromiseLike<unknown>, code: ErrorCode): Promise<GodwitError> {
  const error: unknown = await work.then(
    () => new Error(`nothing failed; ${code} was expected`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GodwitError)) throw error;
  // Its own message tells more than a comparison of codes.
  if (error.code !== code) throw error;
  return error;
}

const told = new WeakMap<object, Promise<GodwitEvent[]>>();

/** What a verb told while it worked, however often it is asked; a failure of it is no failure here. */
export async function eventsOf<T extends GodwitEvent["type"]>(
  run: Run<unknown>,
  type: T,
): Promise<Extract<GodwitEvent, { type: T }>[]> {
  let events = told.get(run);
  if (events === undefined) told.set(run, (events = collected(run)));
  return (await events).filter((event) => isOf(event, type));
}

async function collected(run: AsyncIterable<GodwitEvent>): Promise<GodwitEvent[]> {
  const events: GodwitEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

function isOf<T extends GodwitEvent["type"]>(
  event: GodwitEvent,
  type: T,
): event is Extract<GodwitEvent, { type: T }> {
  return event.type === type;
}

/** Ids of what a run did, in order. */
export function idsOf(result: unknown): string[] {
  const { targets } = result as { targets: readonly { migrations: readonly { id: string }[] }[] };
  return targets.flatMap(({ migrations }) => migrations.map(({ id }) => id));
}

/** State of every migration as `status` tells it, with its flags: `1_users: applied, baseline`. */
export async function statesOf(godwit: Godwit): Promise<string[]> {
  const { targets } = await godwit.status();
  return targets.flatMap(({ migrations }) =>
    migrations.map(({ id, state, flags }) => `${id}: ${[state, ...flags].join(", ")}`),
  );
}

/** Names of the tables in the schema `public`, and whether anything of a history is there. */
export async function tablesOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE relkind IN ('r', 'p', 'v') AND nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'godwit')
     ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** Whether the schema of the history is there. */
export async function hasHistory(database: TestDatabase, schema = "godwit"): Promise<boolean> {
  const rows = await database.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema]);
  return rows.length === 1;
}

/** The rows of the history as it stands, by order of application. */
export async function historyOf(
  database: TestDatabase,
): Promise<{ id: string; status: string; applied_seq: string | null }[]> {
  return database.query(
    "SELECT id, status, applied_seq FROM godwit.migrations ORDER BY applied_seq NULLS LAST, id",
  );
}
