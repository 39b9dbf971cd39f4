import { describe, expect, it } from "vitest";
import { indexesOf } from "../../support/half-done.ts";
import { failureOf, idsOf, statesOf, testProject, type Files, type Project } from "../../support/project.ts";

const TABLE = {
  "1_t.sql": "-- migrate:up\nCREATE TABLE t (id int, b int);\n-- migrate:down\nDROP TABLE t;\n",
};
const BACK = "-- migrate:down\nDROP INDEX CONCURRENTLY i;\nDROP INDEX CONCURRENTLY j;\n";
const HALF = `-- migrate:up
CREATE INDEX CONCURRENTLY i ON t (id);
SELECT 1 / (SELECT count(*) FROM go);
CREATE INDEX CONCURRENTLY j ON t (b);
${BACK}`;

/** A migration of which the first step is done, and no more. */
async function halfApplied(files: Files): Promise<Project> {
  const project = await testProject(files);
  await project.database.query("CREATE TABLE go ()");
  await failureOf(project.godwit.up(), "MIGRATION_FAILED");
  expect(await indexesOf(project.database, "t")).toEqual([{ name: "i", valid: true }]);
  return project;
}

describe("what a half-applied migration stands on", () => {
  it.each(["down", "redo"] as const)(
    "is not taken back under it by %s, and all of it is there at the end",
    async (verb) => {
      const { database, godwit } = await halfApplied({ ...TABLE, "2_i.sql": HALF });
      const { message, hint } = await failureOf(godwit[verb](), "NEEDS_REPAIR");
      expect(message).toBe("2_i is half applied, and stands on 1_t");
      expect(hint).toContain("godwit up");
      await database.query("INSERT INTO go DEFAULT VALUES");
      expect(idsOf(await godwit.up())).toEqual(["2_i"]);
      expect((await indexesOf(database, "t")).map(({ name }) => name)).toEqual(["i", "j"]);
      expect(idsOf(await godwit.down({ all: true }))).toEqual(["2_i", "1_t"]);
    },
  );

  it("is taken back once nothing of it is left, by a person's word", async () => {
    const { database, godwit } = await halfApplied({ ...TABLE, "2_i.sql": HALF });
    await database.query("DROP INDEX i");
    await godwit.repair({ action: "mark-not-applied", ids: ["2_i"], reason: "undone by hand" });
    expect(idsOf(await godwit.down())).toEqual(["1_t"]);
    await database.query("INSERT INTO go DEFAULT VALUES");
    await godwit.up();
    expect((await indexesOf(database, "t")).map(({ name }) => name)).toEqual(["i", "j"]);
  });

  it("is only what it requires, where it says so; and nothing where it failed without effect", async () => {
    const other = "-- migrate:up\nCREATE TABLE other ();\n-- migrate:down\nDROP TABLE other;\n";
    const { godwit } = await halfApplied({
      ...TABLE,
      "2_other.sql": other,
      "3_i.sql": `-- godwit:requires 1_t\n${HALF}`,
    });
    expect(idsOf(await godwit.down())).toEqual(["2_other"]);
    expect(await statesOf(godwit)).toEqual([
      "1_t: applied",
      "2_other: pending, rolled_back",
      "3_i: half_applied",
    ]);
    await failureOf(godwit.down(), "NEEDS_REPAIR");

    const { godwit: without } = await testProject({
      ...TABLE,
      "2_i.sql": "CREATE UNIQUE INDEX CONCURRENTLY i ON t (nowhere);\n",
    });
    await failureOf(without.up(), "MIGRATION_FAILED");
    expect(idsOf(await without.down())).toEqual(["1_t"]);
  });
});
