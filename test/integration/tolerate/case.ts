import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { GodwitError } from "../../../src/core/error.ts";
import { testMajor } from "../../support/postgres.ts";
import { eventsOf, testProject, type Project } from "../../support/project.ts";

/** What a tolerant file finds, and what becomes of it. */
export interface ToleranceCase {
  readonly name: string;
  /** The oldest major that has what the case is about. */
  readonly since?: number;
  /** What is there already. */
  readonly live: string;
  /** The file's statements. */
  readonly file: string;
  /** What counts as applied because it equals; the statement is run for what is not named. */
  readonly tolerated?: readonly string[];
  /** The lines of the difference. */
  readonly differs?: readonly string[];
  /** Why it cannot be compared. */
  readonly notComparable?: string;
}

/** What becomes of it, in the shape of the case; and whether anything was changed or left behind where it failed. */
export async function outcomeOf({ live, file }: ToleranceCase): Promise<unknown> {
  const project = await projectWith(live, file);
  const before = await fingerprint(project);
  const run = project.godwit.up();
  const failure: unknown = await run.then(
    () => null,
    (error: unknown) => error,
  );
  const left = { scratches: await scratches(project) };
  if (failure === null) {
    const { targets } = await run;
    const tolerated = targets.flatMap(({ migrations }) => migrations.flatMap((one) => one.tolerated));
    const events = await eventsOf(run, "statement.tolerated");
    return { ...left, tolerated, told: events.map(({ object }) => object) };
  }
  if (!(failure instanceof GodwitError)) throw failure;
  const { code, detail = "", location } = failure;
  const changed = !isDeepStrictEqual(before, await fingerprint(project));
  return { ...left, code, detail, file: location?.file, changed };
}

/** What `outcomeOf` is to be. */
export function expectedOf({ tolerated, differs, notComparable = "" }: ToleranceCase): unknown {
  if (tolerated !== undefined) return { scratches: [], tolerated, told: tolerated };
  const failed = { scratches: [], file: "migrations/1_a.sql", changed: false };
  if (differs !== undefined) return { ...failed, code: "OBJECT_DIFFERS", detail: differs.join("\n") };
  return { ...failed, code: "OBJECT_NOT_COMPARABLE", detail: expect.stringContaining(notComparable) };
}

/** The cases that the major of this run has what it takes for. */
export function casesHere(cases: readonly ToleranceCase[]): ToleranceCase[] {
  return cases.filter(({ since = 0 }) => testMajor() >= since);
}

export async function projectWith(live: string, file: string): Promise<Project> {
  const project = await testProject({ "1_a.sql": `-- godwit:tolerate existing\n${file}\n` });
  if (live !== "") await project.database.query(live);
  return project;
}

/** Everything with a name that is no one's but the user's. */
async function fingerprint({ database }: Project): Promise<unknown> {
  return database.query(
    `SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'godwit', 'pg_toast') ORDER BY c.oid`,
  );
}

async function scratches({ database }: Project): Promise<unknown> {
  return database.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'godwit\\_scratch%'");
}
