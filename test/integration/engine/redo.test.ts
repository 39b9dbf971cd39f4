import { describe, expect, it } from "vitest";
import {
  eventsOf,
  failureOf,
  hasHistory,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";

const both = (name: string, columns = "id int"): string =>
  `-- migrate:up\nCREATE TABLE ${name} (${columns});\n-- migrate:down\nDROP TABLE ${name};\n`;

describe("redo", () => {
  it("takes the last one back and applies its file as it is now", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": both("a"), "2_b.sql": both("b") });
    await godwit.up();
    await write({ "2_b.sql": both("b", "id int, name text") });
    const run = godwit.redo();
    const result = await run;
    expect(result.targets[0]?.migrations.map(({ id, direction }) => [id, direction])).toEqual([
      ["2_b", "down"],
      ["2_b", "up"],
    ]);
    expect(await database.query("SELECT * FROM b")).toEqual([]);
    expect(await database.query("SELECT name FROM b")).toEqual([]);
    expect((await eventsOf(run, "lock.acquired")).length).toBe(1);
    expect((await godwit.up()).total).toBe(0);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null, changed: [] });
  });

  it("does so with several, newest first and oldest first", async () => {
    const { godwit } = await testProject({
      "1_a.sql": both("a"),
      "2_b.sql": both("b"),
      "3_c.sql": both("c"),
    });
    await godwit.up({ to: "2_b" });
    expect(idsOf(await godwit.redo({ steps: 2 }))).toEqual(["2_b", "1_a", "1_a", "2_b"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied", "3_c: pending"]);
    const tooFar = godwit.redo({ steps: 99 });
    expect((await tooFar).total).toBe(4);
    expect((await eventsOf(tooFar, "warning")).map(({ message }) => message)).toEqual([
      "only 2 are applied, fewer than the 99 asked for",
    ]);
  });

  it("brings the repeatables back that the way down may have dropped", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a CASCADE;\n",
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT * FROM a;",
    });
    await godwit.up();
    expect(idsOf(await godwit.redo())).toEqual(["1_a", "1_a", "v"]);
    expect(await tablesOf(database)).toEqual(["a", "v"]);
  });

  it("does nothing and makes nothing where nothing is applied", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": both("a") });
    expect((await godwit.redo()).total).toBe(0);
    expect(await hasHistory(database)).toBe(false);
  });

  it.each([
    ["is gone", null, "MIGRATION_UNKNOWN"],
    ["is malformed", "CREATE TABEL b;", "MIGRATION_MALFORMED"],
  ] as const)("refuses before anything runs when the file %s", async (_, text, code) => {
    const { godwit, database, write, remove } = await testProject({
      "1_a.sql": both("a"),
      "2_b.sql": both("b"),
    });
    await godwit.up();
    if (text === null) await remove("2_b.sql");
    else await write({ "2_b.sql": text });
    await failureOf(godwit.redo(), code);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
    expect((await historyOf(database)).map(({ status }) => status)).toEqual(["completed", "completed"]);
  });

  it("refuses before anything runs when a repeatable is malformed", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql": both("a"),
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
    });
    await godwit.up();
    await write({ "v.repeatable.sql": "CREATE VEW v;" });
    await failureOf(godwit.redo(), "MIGRATION_MALFORMED");
    expect(await statesOf(godwit)).toContain("1_a: applied");
    expect(await tablesOf(database)).toEqual(["a", "v"]);
  });

  it("refuses the irreversible", async () => {
    const { godwit } = await testProject({ "1_a.sql": "CREATE TABLE a (id int);" });
    await godwit.up();
    expect((await failureOf(godwit.redo(), "IRREVERSIBLE")).message).toContain("1_a");
  });

  it("leaves the migration taken back and failed where the new text fails", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": both("a"), "2_b.sql": both("b") });
    await godwit.up();
    await write({ "2_b.sql": both("b", "id nonsense") });
    const error = await failureOf(godwit.redo(), "MIGRATION_FAILED");
    expect(idsOf(error.result)).toEqual(["2_b"]);
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: failed"]);
    await write({ "2_b.sql": both("b") });
    expect(idsOf(await godwit.up())).toEqual(["2_b"]);
  });
});
