import { expect } from "vitest";
import { eventsOf, failureOf, testProject, type Project } from "../../support/project.ts";

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

export async function check({ live, file, tolerated, differs, notComparable }: ToleranceCase): Promise<void> {
  const project = await projectWith(live, file);
  const before = await fingerprint(project);
  if (tolerated !== undefined) {
    const run = project.godwit.up();
    const result = await run;
    expect(result.targets[0]?.migrations.map((one) => one.tolerated)).toEqual([tolerated]);
    expect((await eventsOf(run, "statement.tolerated")).map(({ object }) => object)).toEqual(tolerated);
  } else if (differs !== undefined) {
    const error = await failureOf(project.godwit.up(), "OBJECT_DIFFERS");
    expect(error.detail?.split("\n") ?? []).toEqual(differs);
    expect(error.location).toMatchObject({ file: "migrations/1_a.sql" });
    expect(await fingerprint(project)).toEqual(before);
  } else {
    const error = await failureOf(project.godwit.up(), "OBJECT_NOT_COMPARABLE");
    expect(error.detail).toContain(notComparable);
    expect(await fingerprint(project)).toEqual(before);
  }
  expect(await scratches(project)).toEqual([]);
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
