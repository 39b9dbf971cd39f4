import { mkdir } from "node:fs/promises";
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

const table = (name: string): string => `CREATE TABLE ${name} (id int);\n`;

describe("what is pending", () => {
  it("is applied in the order of ids, bytewise, each with its line of history", async () => {
    const { godwit, database } = await testProject({
      "2_b.sql": table("b"),
      "10_c.sql": table("c"),
      "1_a.sql": table("a"),
      "1_B.sql": table("big"),
    });
    const result = await godwit.up();
    expect(idsOf(result)).toEqual(["10_c", "1_B", "1_a", "2_b"]);
    expect(result.total).toBe(4);
    expect(await tablesOf(database)).toEqual(["a", "b", "big", "c"]);
    expect(await historyOf(database)).toEqual([
      { id: "10_c", status: "completed", applied_seq: "1" },
      { id: "1_B", status: "completed", applied_seq: "2" },
      { id: "1_a", status: "completed", applied_seq: "3" },
      { id: "2_b", status: "completed", applied_seq: "4" },
    ]);
  });

  it("is nothing once all is applied: no lock is taken and nothing is written", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": table("a") });
    await godwit.up();
    const before = await database.query("SELECT count(*) FROM godwit.migration_log");
    const run = godwit.up();
    expect((await run).total).toBe(0);
    expect(await eventsOf(run, "lock.acquired")).toEqual([]);
    expect(await database.query("SELECT count(*) FROM godwit.migration_log")).toEqual(before);
  });

  it("is a set: what names what it requires is applied out of order, and that is said", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql": table("a"),
      "3_c.sql": table("c"),
    });
    await godwit.up();
    await write({ "2_b.sql": `-- godwit:requires 1_a\n${table("b")}` });
    expect((await godwit.plan()).plans[0]?.migrations.map(({ id, reason }) => [id, reason])).toEqual([
      ["2_b", "out of order"],
    ]);
    expect(idsOf(await godwit.up())).toEqual(["2_b"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied, out_of_order", "3_c: applied"]);
    expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_a", "3_c", "2_b"]);
  });

  it("is never passed over: a late file that names nothing is refused, with what to write", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": table("a"), "3_c.sql": table("c") });
    await godwit.up();
    await write({ "2_b.sql": table("b"), "4_d.sql": table("d") });
    const error = await failureOf(godwit.up(), "OUT_OF_ORDER");
    expect(error.message).toContain("2_b");
    expect(error.hint).toContain("-- godwit:requires 1_a");
    expect(error.location).toMatchObject({ file: join("migrations", "2_b.sql"), line: 1 });
    expect(await tablesOf(database)).toEqual(["a", "c"]);
    expect(await statesOf(godwit)).toContain("2_b: pending");
  });

  it("names every late file in one go", async () => {
    const { godwit, write } = await testProject({ "5_e.sql": table("e") });
    await godwit.up();
    await write({ "1_a.sql": table("a"), "2_b.sql": table("b"), "6_f.sql": table("f") });
    const error = await failureOf(godwit.up(), "OUT_OF_ORDER");
    expect(error.problems.map(({ location }) => location?.file)).toEqual([
      join("migrations", "1_a.sql"),
      join("migrations", "2_b.sql"),
    ]);
  });

  it("compares ids bytewise also where UTF-16 would order them otherwise", async () => {
    // U+FFFD is EF BF BD and U+1F600 is F0 9F 98 80, while in UTF-16 the second one is the smaller.
    const { godwit, write } = await testProject({ "\u{1F600}.sql": table("late") });
    await godwit.up();
    await write({ "\uFF5E.sql": table("early") });
    const error = await failureOf(godwit.up(), "OUT_OF_ORDER");
    expect(error.message).toContain("\uFF5E");
  });

  it("goes in the order that requirements ask for", async () => {
    const { godwit } = await testProject({
      "1_a.sql": `-- godwit:requires 3_c\n${table("a")}`,
      "2_b.sql": table("b"),
      "3_c.sql": `-- godwit:requires 4_d\n${table("c")}`,
      "4_d.sql": `-- godwit:requires 5_e\n${table("d")}`,
      "5_e.sql": "-- godwit:requires 6_f\nSELECT 1;",
      "6_f.sql": "-- godwit:requires 7_g\nSELECT 1;",
      "7_g.sql": "-- godwit:requires 8_h\nSELECT 1;",
      "8_h.sql": "-- godwit:requires 9_i\nSELECT 1;",
      "9_i.sql": "-- godwit:requires 0_z\nSELECT 1;",
      "0_z.sql": "SELECT 1;",
    });
    expect(idsOf(await godwit.up())).toEqual([
      "0_z",
      "9_i",
      "8_h",
      "7_g",
      "6_f",
      "5_e",
      "4_d",
      "3_c",
      "1_a",
      "2_b",
    ]);
  });

  it("is what a newer file was merged with, decided again behind the lock", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`${index}.sql`, table(`t${index}`)]),
    );
    const { godwit, open, database } = await testProject(files);
    const others = await Promise.all([open(), open(), open()]);
    const results = await Promise.all([godwit, ...others].map((one) => one.up()));
    expect(results.reduce((sum, { total }) => sum + total, 0)).toBe(8);
    expect((await historyOf(database)).map(({ status }) => status)).toEqual(Array(8).fill("completed"));
  });
});

describe("a selection", () => {
  const files = { "1_a.sql": table("a"), "2_b.sql": table("b"), "3_c.sql": table("c") };

  it("ends with the id of --to", async () => {
    const { godwit } = await testProject(files);
    expect(idsOf(await godwit.up({ to: "2_b" }))).toEqual(["1_a", "2_b"]);
    expect(idsOf(await godwit.up({ to: "2_b" }))).toEqual([]);
  });

  it("has so many as --step says", async () => {
    const { godwit } = await testProject(files);
    expect(idsOf(await godwit.up({ steps: 1 }))).toEqual(["1_a"]);
    expect(idsOf(await godwit.up({ steps: 5 }))).toEqual(["2_b", "3_c"]);
  });

  it("takes with --to what the id requires, and nothing later that happens to stand before it", async () => {
    const { godwit } = await testProject({
      ...files,
      "2_b.sql": `-- godwit:requires 4_d\n${table("b")}`,
      "4_d.sql": `-- godwit:requires 1_a\n${table("d")}`,
      "5_e.sql": `-- godwit:requires 1_a\n${table("e")}`,
    });
    expect(idsOf(await godwit.up({ to: "2_b" }))).toEqual(["1_a", "4_d", "2_b"]);
  });

  it("of an unknown id is refused with what was probably meant, before anything is touched", async () => {
    const { godwit, database } = await testProject(files);
    const error = await failureOf(godwit.up({ to: "2_bb" }), "MIGRATION_UNKNOWN");
    expect(error.hint).toContain("2_b");
    expect(await hasHistory(database)).toBe(false);
  });

  it.each([0, -1, 1.5, NaN])("of %s steps is refused", async (steps) => {
    const { godwit, database } = await testProject(files);
    await failureOf(godwit.up({ steps }), "USAGE");
    expect(await hasHistory(database)).toBe(false);
  });
});

describe("an applied file", () => {
  it("that was edited ends the command before anything runs, with every such file", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": table("a"), "2_b.sql": table("b") });
    await godwit.up();
    await write({ "1_a.sql": "CREATE TABLE a (id bigint);", "3_c.sql": table("c") });
    const error = await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(error).toMatchObject({ location: { file: join("migrations", "1_a.sql") } });
    expect(error.hint).toContain("godwit repair accept-checksum 1_a");
    expect(error.hint).toContain("git checkout <commit> -- migrations/1_a.sql\n");
    await write({ "2_b.sql": "CREATE TABLE b (id bigint);" });
    const both = await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(both.problems).toHaveLength(2);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
  });

  it.each([
    ["a comment", `-- made by hand\n${table("a")}`],
    ["white space and case", "create   TABLE a (\n  id int\n) ;\n"],
    ["the line ends of Windows and a byte order mark", `\uFEFF${table("a").replaceAll("\n", "\r\n")}`],
  ])("in which only %s changed goes on", async (what, text) => {
    const { godwit, write } = await testProject({ "1_a.sql": table("a") });
    await godwit.up();
    await write({ "1_a.sql": text, "2_b.sql": table("b") });
    const run = godwit.up();
    const result = await run;
    expect(idsOf(result)).toEqual(["2_b"]);
    const warnings = (await eventsOf(run, "warning")).map(({ message }) => message);
    expect(warnings).toEqual(result.targets[0]?.warnings);
    if (what.includes("byte order")) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringContaining("1_a")]);
  });

  it("is edited also when only a string in it changed its white space", async () => {
    const { godwit, write } = await testProject({ "1_a.sql": "CREATE TABLE a AS SELECT 'x y' AS t;" });
    await godwit.up();
    await write({ "1_a.sql": "CREATE TABLE a AS SELECT 'x  y' AS t;" });
    await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(await statesOf(godwit)).toEqual(["1_a: applied, file_changed"]);
  });

  it("whose statements were put in another order or taken away is edited", async () => {
    const { godwit, write } = await testProject({ "1_a.sql": table("a") + table("b") });
    await godwit.up();
    await write({ "1_a.sql": table("b") + table("a") });
    await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    await write({ "1_a.sql": table("a") });
    await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(await statesOf(godwit)).toEqual(["1_a: applied, file_changed"]);
  });

  it("that cannot be read as SQL any more is edited, not malformed", async () => {
    const { godwit, write } = await testProject({ "1_a.sql": table("a") });
    await godwit.up();
    await write({ "1_a.sql": "CREATE TABEL a (" });
    await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(await statesOf(godwit)).toEqual(["1_a: applied, file_changed"]);
  });

  it("that is gone is a warning with the way to forget it", async () => {
    const { godwit, write, remove } = await testProject({ "1_a.sql": table("a"), "2_b.sql": table("b") });
    await godwit.up();
    await remove("1_a.sql");
    await write({ "3_c.sql": table("c") });
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(["3_c"]);
    expect(await eventsOf(run, "warning")).toMatchObject([
      { message: expect.stringContaining("1_a"), hint: expect.stringContaining("godwit repair forget 1_a") },
    ]);
  });
});

describe("a migration that fails", () => {
  const files = {
    "1_a.sql": table("a"),
    "2_b.sql": `${table("b")}INSERT INTO b VALUES ('x');\n`,
    "3_c.sql": table("c"),
  };

  it("is rolled back, recorded as failed and stops its stream", async () => {
    const { godwit, database } = await testProject(files);
    const run = godwit.up();
    const error = await failureOf(run, "MIGRATION_FAILED");
    expect(error).toMatchObject({
      sqlstate: "22P02",
      location: { file: join("migrations", "2_b.sql"), line: 2, column: 23 },
      result: { total: 1, targets: [{ error: { code: "MIGRATION_FAILED" } }] },
    });
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await historyOf(database)).toMatchObject([
      { id: "1_a", status: "completed" },
      { id: "2_b", status: "failed" },
    ]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: failed", "3_c: pending"]);
    expect(await eventsOf(run, "migration.failed")).toMatchObject([{ id: "2_b", rolledBack: true }]);
    const { targets } = await godwit.history();
    expect(targets[0]?.entries.map(({ event, id }) => [event, id])).toContainEqual([
      "migration.failed",
      "2_b",
    ]);
    expect(await database.query("SELECT outcome FROM godwit.runs")).toEqual([{ outcome: "failed" }]);
  });

  it("is tried first by the next up, mended or not", async () => {
    const { godwit, write, database } = await testProject(files);
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "2_b.sql": table("b") });
    expect((await godwit.plan()).plans[0]?.migrations.map(({ id, reason }) => [id, reason])).toEqual([
      ["2_b", "failed before"],
      ["3_c", "pending"],
    ]);
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(["2_b", "3_c"]);
    expect((await eventsOf(run, "migration.started")).map(({ retry }) => retry)).toEqual([true, false]);
    expect(await database.query("SELECT error FROM godwit.migrations WHERE id = '2_b'")).toEqual([
      { error: null },
    ]);
  });

  it("is tried before what became pending meanwhile and it does not require", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": table("a"),
      "5_e.sql": "-- godwit:requires 1_a\nSELECT 1/0;",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({
      "3_c.sql": `-- godwit:requires 1_a\n${table("c")}`,
      "5_e.sql": `-- godwit:requires 1_a\n${table("e")}`,
    });
    expect(idsOf(await godwit.up())).toEqual(["5_e", "3_c"]);
  });

  it("is tried behind what it requires by now", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": table("a"),
      "5_e.sql": "-- godwit:requires 1_a\nINSERT INTO c VALUES (1);",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({
      "2_b.sql": `-- godwit:requires 1_a\n${table("b")}`,
      "3_c.sql": `-- godwit:requires 2_b\n${table("c")}`,
      "4_d.sql": `-- godwit:requires 1_a\n${table("d")}`,
      "5_e.sql": "-- godwit:requires 3_c\nINSERT INTO c VALUES (1);",
    });
    expect(idsOf(await godwit.up())).toEqual(["2_b", "3_c", "5_e", "4_d"]);
  });

  it("is tried behind every earlier one where it names nothing", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": table("a"),
      "5_e.sql": "INSERT INTO c VALUES (1);",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "3_c.sql": table("c") });
    expect(idsOf(await godwit.up())).toEqual(["3_c", "5_e"]);
  });

  it("is not tried before what was taken back before it", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": table("a"),
      "2_b.sql": `-- migrate:up\n${table("b")}-- migrate:down\nDROP TABLE b;`,
      "3_c.sql": "INSERT INTO b VALUES ('x');",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await godwit.down();
    await write({ "3_c.sql": "INSERT INTO b VALUES (1);" });
    expect(idsOf(await godwit.up())).toEqual(["2_b", "3_c"]);
  });

  it("leaves the selection as it is: the first of so many steps is the one that failed", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": table("a"),
      "5_e.sql": "-- godwit:requires 1_a\nSELECT 1/0;",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({
      "3_c.sql": `-- godwit:requires 1_a\n${table("c")}`,
      "5_e.sql": `-- godwit:requires 1_a\n${table("e")}`,
    });
    expect(idsOf(await godwit.up({ steps: 1 }))).toEqual(["5_e"]);
    expect(idsOf(await godwit.up({ steps: 1 }))).toEqual(["3_c"]);
  });
});

describe("malformed files", () => {
  it("are all told in one go with their places, and the database is as before", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": table("a"),
      "2_b.sql": "CREATE TABLE b (id int;\n",
      "3_c.sql": "SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\n",
      "4_d.sql": "-- godwit:requirs 1_a\nSELECT 1;\n",
      "5_e.sql": "\\connect other\n",
      "6_f.sql": "COPY a FROM stdin;\n1\n\\.\n",
      "7_g.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELEC 1;",
      "8_h.ts": "export const up = 1;",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    const places = error.problems.map(
      ({ location }) => `${location?.file.split("/").at(-1)}:${location?.line}:${location?.column}`,
    );
    expect(places).toEqual([
      "2_b.sql:1:23",
      "3_c.sql:2:1",
      "3_c.sql:4:1",
      "4_d.sql:1:1",
      "5_e.sql:1:1",
      "6_f.sql:1:1",
      "8_h.ts:1:1",
      "7_g.repeatable.sql:1:29",
    ]);
    expect(error.problems.every(({ location }) => location?.excerpt?.includes("^"))).toBe(true);
    expect(await hasHistory(database)).toBe(false);
    expect(await tablesOf(database)).toEqual([]);
    await failureOf(godwit.plan(), "MIGRATION_MALFORMED");
  });

  it.each([
    ["empty", ""],
    ["blank", " \n\t\n"],
    ["only comments", "-- nothing\n/* at all */\n"],
    ["without statements in its section", "-- migrate:up\n-- migrate:down\nDROP TABLE a;\n"],
    ["binary", "\u0000\u0001\u0002"],
    ["not closed", "CREATE FUNCTION f() RETURNS int AS $$ SELECT 1"],
  ])("may be %s", async (_, text) => {
    const { godwit, database } = await testProject({ "1_a.sql": table("a"), "2_b.sql": text });
    const error = await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    expect(error.location?.file).toContain("2_b.sql");
    expect(await hasHistory(database)).toBe(false);
  });

  it("of another tool are refused, never run", async () => {
    const { godwit, database } = await testProject({
      "1_a.up.sql": table("a"),
      "1_a.down.sql": "DROP TABLE a;",
    });
    await failureOf(godwit.up(), "MIGRATION_FOREIGN_FORMAT");
    expect(await hasHistory(database)).toBe(false);
  });

  it("stand behind what is applied without disturbing status", async () => {
    const { godwit, write } = await testProject({ "1_a.sql": table("a") });
    await godwit.up();
    await write({ "2_b.sql": "CREATE TABEL b;" });
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);
  });
});

describe("a folder of migrations", () => {
  it("that is empty is an error, never nothing to do", async () => {
    const { godwit, database } = await testProject({});
    await failureOf(godwit.up(), "MIGRATIONS_NOT_FOUND");
    expect(await hasHistory(database)).toBe(false);
  });

  it("that is missing is an error also where something is applied", async () => {
    const { godwit, open, root } = await testProject({ "1_a.sql": table("a") });
    await godwit.up();
    const elsewhere = await open({ migrations: join(root, "nowhere") });
    expect((await failureOf(elsewhere.up(), "MIGRATIONS_NOT_FOUND")).message).toContain("nowhere");
  });

  it("may hold migrations as folders, with the same rules", async () => {
    const { godwit, database, root } = await testProject({
      "1_a/up.sql": table("a"),
      "1_a/down.sql": "DROP TABLE a;",
      "2_b/up.sql": "INSERT INTO a VALUES ('x');",
    });
    await mkdir(join(root, "migrations", ".git"));
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.location?.file).toBe(join("migrations", "2_b", "up.sql"));
    await godwit.down();
    expect(await tablesOf(database)).toEqual([]);
  });
});
