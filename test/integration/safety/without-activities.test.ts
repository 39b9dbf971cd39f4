import { expect, it } from "vitest";
import { testDatabase } from "../../support/postgres.ts";
import { failureOf, testProject } from "../../support/project.ts";
import { testClient } from "./gate.ts";

it.each([
  { what: "SQL", file: "1_a.sql", text: "ALTER TABLE t ADD COLUMN b int;\nSELECT pg_sleep(30);\n" },
  {
    what: "code that does nothing between two queries",
    file: "1_a.mjs",
    text: `export async function up(db) {
      await db.query("ALTER TABLE t ADD COLUMN b int");
      await new Promise((resolve) => setTimeout(resolve, 8_000));
    }\n`,
  },
])(
  "max_blocking holds for $what where the server keeps no activities of its sessions",
  async ({ file, text }) => {
    const database = await testDatabase();
    await database.query(
      `ALTER DATABASE ${database.name} SET track_activities = off; CREATE TABLE t (a text)`,
    );
    const { open } = await testProject({ [file]: text }, { database });
    const application = await testClient(database.url);
    const failed = failureOf((await open({ maxBlockingMs: 1000 })).up(), "BLOCKED_OTHERS");
    await expect
      .poll(() =>
        database.query(
          "SELECT FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock'",
        ),
      )
      .toHaveLength(1);
    const began = Date.now();
    await application.query("INSERT INTO t VALUES ('x')");
    expect(Date.now() - began).toBeLessThan(5_000);
    expect((await failed).message).toContain("1_a");
  },
);
