import { describe, expect, it } from "vitest";
import {
  failureOf,
  hasHistory,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";

const both = (name: string): string =>
  `-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n`;
const three = { "1_a.sql": both("a"), "2_b.sql": both("b"), "3_c.sql": both("c") };

describe("baseline", () => {
  it("takes an id and every earlier one as applied, without running them", async () => {
    const { godwit, database } = await testProject(three);
    await database.query("CREATE TABLE a (id int); CREATE TABLE b (id int)");
    const result = await godwit.baseline({ id: "2_b", reason: "it was made by hand" });
    expect(idsOf(result)).toEqual(["1_a", "2_b"]);
    expect(await historyOf(database)).toMatchObject([
      { id: "1_a", status: "baseline" },
      { id: "2_b", status: "baseline" },
    ]);
    expect(await statesOf(godwit)).toEqual([
      "1_a: applied, baseline",
      "2_b: applied, baseline",
      "3_c: pending",
    ]);
    const { targets } = await godwit.history({ id: "2_b" });
    expect(targets[0]?.entries).toMatchObject([
      { event: "migration.baseline", level: "warning", details: { reason: "it was made by hand" } },
    ]);
    expect(idsOf(await godwit.up())).toEqual(["3_c"]);
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });

  it("leaves what is applied as it is, and may be said again", async () => {
    const { godwit, database } = await testProject(three);
    await godwit.up({ to: "1_a" });
    expect(idsOf(await godwit.baseline({ id: "2_b" }))).toEqual(["2_b"]);
    const before = await database.query("SELECT * FROM godwit.migrations ORDER BY id");
    expect((await godwit.baseline({ id: "2_b" })).total).toBe(0);
    expect(await database.query("SELECT * FROM godwit.migrations ORDER BY id")).toEqual(before);
    expect(before).toMatchObject([{ status: "completed" }, { status: "baseline" }]);
  });

  it("guards the files from then on", async () => {
    const { godwit, write } = await testProject(three);
    await godwit.baseline({ id: "2_b" });
    await write({ "1_a.sql": both("aa") });
    const error = await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(error.message).toContain("1_a");
  });

  it("takes over one that failed", async () => {
    const { godwit, database } = await testProject(three);
    await database.query("CREATE TABLE a (id int)");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await statesOf(godwit)).toContain("1_a: failed");
    await godwit.baseline({ id: "1_a" });
    expect(idsOf(await godwit.up())).toEqual(["2_b", "3_c"]);
  });

  it("refuses one that is half applied", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    const error = await failureOf(godwit.baseline({ id: "1_a" }), "NEEDS_REPAIR");
    expect(error.hint).toContain("godwit repair mark-applied 1_a");
  });

  it("refuses an unknown id with what was probably meant, and makes nothing", async () => {
    const { godwit, database } = await testProject(three);
    expect((await failureOf(godwit.baseline({ id: "2" }), "MIGRATION_UNKNOWN")).hint).toContain("2_b");
    expect(await hasHistory(database)).toBe(false);
  });

  it("refuses malformed files before anything is written", async () => {
    const { godwit, database } = await testProject({ ...three, "2_b.sql": "CREATE TABEL b;" });
    await failureOf(godwit.baseline({ id: "3_c" }), "MIGRATION_MALFORMED");
    expect(await hasHistory(database)).toBe(false);
  });
});
