import { join } from "node:path";
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

const both = (name: string, head = ""): string =>
  `${head}-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n`;
const three = { "1_a.sql": both("a"), "2_b.sql": both("b"), "3_c.sql": both("c") };

describe("how far down goes", () => {
  it("is one migration unless told otherwise", async () => {
    const { godwit, database } = await testProject(three);
    await godwit.up();
    const result = await godwit.down();
    expect(idsOf(result)).toEqual(["3_c"]);
    expect(result.targets[0]?.migrations[0]).toMatchObject({ direction: "down", statements: 1 });
    expect(await tablesOf(database)).toEqual(["a", "b"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied", "3_c: pending, rolled_back"]);
  });

  it("is as many as are asked for, and no more than there are", async () => {
    const { godwit, database } = await testProject(three);
    await godwit.up();
    expect(idsOf(await godwit.down({ steps: 2 }))).toEqual(["3_c", "2_b"]);
    const plan = (await godwit.plan({ direction: "down", steps: 5 })).plans[0];
    expect(plan?.warnings).toMatchObject([{ message: "only 1 is applied, fewer than the 5 asked for" }]);
    const run = godwit.down({ steps: 5 });
    expect(idsOf(await run)).toEqual(["1_a"]);
    expect(await eventsOf(run, "warning")).toMatchObject([
      { message: "only 1 is applied, fewer than the 5 asked for" },
    ]);
    expect(idsOf(await godwit.down())).toEqual([]);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("is to an id that stays", async () => {
    const { godwit, database } = await testProject(three);
    await godwit.up();
    expect(idsOf(await godwit.down({ to: "1_a" }))).toEqual(["3_c", "2_b"]);
    expect(idsOf(await godwit.down({ to: "1_a" }))).toEqual([]);
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it("is everything, and up puts it back", async () => {
    const { godwit, database } = await testProject(three);
    await godwit.up();
    expect((await godwit.down({ all: true })).total).toBe(3);
    expect(await tablesOf(database)).toEqual([]);
    expect((await godwit.up()).total).toBe(3);
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
  });

  it("follows the order of application, not of ids", async () => {
    const { godwit, database, write, remove } = await testProject(three);
    await remove("2_b.sql");
    await godwit.up();
    await write({ "2_b.sql": both("b", "-- godwit:requires 1_a\n") });
    await godwit.up();
    expect(idsOf(await godwit.down())).toEqual(["2_b"]);
    await godwit.up();
    expect(idsOf(await godwit.down({ to: "3_c" }))).toEqual(["2_b"]);
    expect(await tablesOf(database)).toEqual(["a", "c"]);
  });

  it.each([
    [{ steps: 0 }, "USAGE"],
    [{ steps: 1.5 }, "USAGE"],
    [{ steps: 1, all: true }, "USAGE"],
    [{ to: "1_a", all: true }, "USAGE"],
    [{ to: "1_aa" }, "MIGRATION_UNKNOWN"],
  ] as const)("is refused when it says %o", async (options, code) => {
    const { godwit, database } = await testProject(three);
    await godwit.up();
    await failureOf(godwit.down(options), code);
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
  });

  it("is nowhere where there is no history, and none is made", async () => {
    const { godwit, database } = await testProject(three);
    expect((await godwit.down()).total).toBe(0);
    expect((await godwit.down({ all: true })).total).toBe(0);
    expect(await hasHistory(database)).toBe(false);
  });
});

describe("what down runs", () => {
  it("is what was stored, and it says so where the file has another way down by now", async () => {
    const { godwit, database, write } = await testProject(three);
    await godwit.up();
    await write({ "3_c.sql": both("c").replace("DROP TABLE c", "DROP TABLE nowhere") });
    const run = godwit.down();
    expect((await run).targets[0]?.warnings).toEqual([expect.stringContaining("3_c")]);
    expect(await eventsOf(run, "warning")).toMatchObject([
      { message: expect.stringContaining("stored one") },
    ]);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
  });

  it("is what was stored where the file is gone or unreadable, or the whole folder is", async () => {
    const { godwit, database, write, remove, open, root } = await testProject(three);
    await godwit.up();
    await write({ "3_c.sql": "-- migrate:up\nGARBAGE (" });
    expect(idsOf(await godwit.down())).toEqual(["3_c"]);
    await remove("2_b.sql");
    expect(idsOf(await godwit.down())).toEqual(["2_b"]);
    expect(idsOf(await (await open({ migrations: join(root, "nowhere") })).down())).toEqual(["1_a"]);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("keeps the settings of a file that is gone", async () => {
    const { godwit, database, remove } = await testProject({
      "1_a.sql":
        "-- godwit:transaction off\n-- godwit:lock_timeout 1234ms\n-- godwit:statement_timeout 5min\n-- migrate:up\n" +
        "CREATE TABLE seen (name text, value text);\n-- migrate:down\n" +
        "VACUUM seen;\n" +
        "INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout');\n",
    });
    await godwit.up();
    await remove("1_a.sql");
    await godwit.down();
    expect(await database.query("SELECT name, value FROM seen ORDER BY 1")).toEqual([
      { name: "lock_timeout", value: "1234" },
      { name: "statement_timeout", value: "300000" },
    ]);
  });

  it("shows a failure in its file, in the words of the stored text where that is gone", async () => {
    const text =
      "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\nDROP TABLE ä_b;\n";
    const { godwit, database, remove } = await testProject({ "1_a.sql": text });
    await godwit.up();
    const error = await failureOf(godwit.down(), "MIGRATION_FAILED");
    expect(error.location).toMatchObject({ file: join("migrations", "1_a.sql"), line: 6, column: 1 });
    await remove("1_a.sql");
    const gone = await failureOf(godwit.down(), "MIGRATION_FAILED");
    expect(gone.location).toMatchObject({ file: expect.stringContaining("1_a"), line: 6, column: 1 });
    expect(gone.location?.excerpt).toContain("DROP TABLE ä_b");
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await historyOf(database)).toMatchObject([{ id: "1_a", status: "completed", applied_seq: "1" }]);
  });

  it("is in one transaction with the history, so that a failure leaves the migration applied", async () => {
    const { godwit, database } = await testProject({
      ...three,
      "3_c.sql": "-- migrate:up\nCREATE TABLE c (id int);\n-- migrate:down\nDROP TABLE c;\nSELECT 1/0;\n",
    });
    await godwit.up();
    const run = godwit.down({ all: true });
    const error = await failureOf(run, "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "22012", result: { total: 0 } });
    expect(error.hint).toContain("godwit down");
    expect(await eventsOf(run, "target.finished")).toMatchObject([{ error: { code: "MIGRATION_FAILED" } }]);
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied", "3_c: applied"]);
  });

  it("keeps what succeeded before a failure", async () => {
    const { godwit, database } = await testProject({
      ...three,
      "2_b.sql": "-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nSELECT 1/0;\n",
    });
    await godwit.up();
    const error = await failureOf(godwit.down({ all: true }), "MIGRATION_FAILED");
    expect(idsOf(error.result)).toEqual(["3_c"]);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
  });

  it("may stand alone, statement by statement", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "-- migrate:up\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n" +
        "-- migrate:down\nDROP INDEX CONCURRENTLY i;\nDROP TABLE a;\n",
    });
    await godwit.up();
    const run = godwit.down();
    await run;
    expect((await eventsOf(run, "statement.started")).map(({ standalone }) => standalone)).toEqual([
      true,
      false,
    ]);
    expect(await tablesOf(database)).toEqual([]);
    expect(await database.query("SELECT * FROM godwit.migration_steps")).toEqual([]);
  });

  it("goes on where it stopped, and up refuses until it has", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": both("guard"),
      "2_b.sql":
        "-- migrate:up\nCREATE TABLE b (id int);\nCREATE INDEX CONCURRENTLY i ON b (id);\n" +
        "-- migrate:down\nDROP INDEX CONCURRENTLY i;\nDELETE FROM guard;\nSELECT 1 / (SELECT 1 - count(*) FROM stop);\nDROP TABLE b;\n",
    });
    await database.query("CREATE TABLE stop AS SELECT 1");
    await godwit.up();
    await failureOf(godwit.down(), "MIGRATION_FAILED");
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: half_applied, half_taken_back"]);
    const { targets } = await godwit.status();
    expect(targets[0]?.code).toBe("PENDING");
    const refused = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect(refused.hint).toContain("godwit down");
    await database.query("DELETE FROM stop");
    const run = godwit.down();
    expect(idsOf(await run)).toEqual(["2_b"]);
    expect(await eventsOf(run, "statement.skipped")).toMatchObject([{ ordinal: 1 }]);
    expect(await tablesOf(database)).toEqual(["guard", "stop"]);
    expect((await godwit.up()).total).toBe(1);
  });
});

describe("what down refuses before anything runs", () => {
  it("is the irreversible, with the author's reason", async () => {
    const { godwit, database } = await testProject({
      ...three,
      "2_b.sql": "-- godwit:irreversible the rows are gone\nCREATE TABLE b (id int);\n",
    });
    await godwit.up();
    const error = await failureOf(godwit.down({ steps: 2 }), "IRREVERSIBLE");
    expect(error.message).toContain("the rows are gone");
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
    expect(idsOf(await godwit.down())).toEqual(["3_c"]);
  });

  it("is what has no way down, with how to get one", async () => {
    const { godwit, write, database } = await testProject({
      ...three,
      "3_c.sql": "CREATE TABLE c (id int);",
    });
    await godwit.up();
    const error = await failureOf(godwit.down({ all: true }), "IRREVERSIBLE");
    expect(error.hint).toContain("godwit repair accept-checksum 3_c");
    await write({ "3_c.sql": both("c") });
    await godwit.repair({ action: "accept-checksum", ids: ["3_c"], reason: "a way down" });
    expect(idsOf(await godwit.down({ all: true }))).toEqual(["3_c", "2_b", "1_a"]);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("names all that is in the way in one go", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "-- godwit:irreversible for ever\nCREATE TABLE a (id int);",
      "2_b.sql": "CREATE TABLE b (id int);",
    });
    await godwit.up();
    expect((await failureOf(godwit.down({ all: true }), "IRREVERSIBLE")).problems).toHaveLength(2);
  });

  it("is what another applied migration requires", async () => {
    const { godwit, write, remove, database } = await testProject(three);
    await remove("3_c.sql");
    await godwit.up();
    // The last applied one is required by one that was applied before it in a history that was mended by hand.
    await write({ "3_c.sql": both("c", "-- godwit:requires 2_b\n") });
    await godwit.up();
    await database.query(
      "UPDATE godwit.migrations SET applied_seq = CASE id WHEN '2_b' THEN 9 ELSE applied_seq END",
    );
    const error = await failureOf(godwit.down(), "GRAPH_UNMET_REQUIREMENT");
    expect(error.message).toContain("3_c");
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
    expect(idsOf(await godwit.down({ steps: 2 }))).toEqual(["2_b", "3_c"]);
  });

  it("is a code migration whose file is gone", async () => {
    const { godwit, remove, database } = await testProject({
      "1_a.mjs":
        "export const up = (db) => db.query('CREATE TABLE a ()').then(() => {});\n" +
        "export const down = (db) => db.query('DROP TABLE a').then(() => {});\n",
    });
    await godwit.up();
    await remove("1_a.mjs");
    const error = await failureOf(godwit.down(), "NEEDS_REPAIR");
    expect(error.hint).toContain("godwit repair mark-not-applied 1_a");
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it("is what lies at or below a baseline", async () => {
    const { godwit, database } = await testProject(three);
    await database.query("CREATE TABLE a (id int); CREATE TABLE b (id int)");
    await godwit.baseline({ id: "2_b" });
    await godwit.up();
    expect(idsOf(await godwit.down({ all: true }))).toEqual(["3_c"]);
    await failureOf(godwit.down(), "IRREVERSIBLE");
    await failureOf(godwit.down({ to: "1_a" }), "IRREVERSIBLE");
    expect(idsOf(await godwit.down({ all: true }))).toEqual([]);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
  });
});
