import { describe, expect, it } from "vitest";
import { failureOf, testProject } from "../../support/project.ts";

describe("the strong locks of a migration", () => {
  it("are not blamed for what the commit refuses", async () => {
    const { database, godwit } = await testProject({
      "1_late.sql": "ALTER TABLE parent ADD COLUMN x int;\nINSERT INTO child VALUES (7);\n",
    });
    await database.query(
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    );
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.sqlstate).toBe("23503");
    expect(error.message).toContain("COMMIT failed");
    expect(error.location).toBeUndefined();
  });

  it("keep to the lock_timeout that a file of several steps has set itself", async () => {
    const seen = (what: string): string =>
      `INSERT INTO public.seen SELECT '${what}', current_setting('lock_timeout')`;
    const { database, godwit } = await testProject({
      "1_own.sql": `SET lock_timeout = '7s';
        CREATE INDEX CONCURRENTLY t_id ON t (id);
        ALTER TABLE t ADD COLUMN x int;
        ${seen("behind a lock")};
        VACUUM FULL t;
        ${seen("behind what stands alone")};
        RESET ALL;
        CREATE INDEX CONCURRENTLY t_x ON t (x);
        ALTER TABLE t ADD COLUMN y int;
        ${seen("behind RESET ALL")};\n`,
    });
    await database.query("CREATE TABLE t (id int); CREATE TABLE seen (what text, lock_timeout text)");
    expect((await godwit.up()).total).toBe(1);
    expect(
      (await database.query<{ line: string }>("SELECT what || ': ' || lock_timeout AS line FROM seen")).map(
        ({ line }) => line,
      ),
    ).toEqual(["behind a lock: 7s", "behind what stands alone: 7s", "behind RESET ALL: 500ms"]);
  });
});
