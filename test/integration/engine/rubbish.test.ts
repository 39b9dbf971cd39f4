import { describe, expect, it } from "vitest";
import {
  eventsOf,
  failureOf,
  hasHistory,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";

describe("large files", () => {
  it("of 20 000 statements are applied in one transaction", { timeout: 120_000 }, async () => {
    const count = 20_000;
    const text = `CREATE TABLE a (id int, t text);\n${Array.from({ length: count }, (_, n) => `INSERT INTO a VALUES (${n}, 'row ä ${n}');`).join("\n")}\n`;
    const { godwit, database } = await testProject({ "1_a.sql": text, "2_b.sql": "CREATE TABLE b ();" });
    const run = godwit.up();
    const result = await run;
    expect(result.targets[0]?.migrations[0]?.statements).toBe(count + 1);
    expect(await database.query("SELECT count(*) AS n, count(DISTINCT xmin::text) AS x FROM a")).toEqual([
      { n: String(count), x: "1" },
    ]);
    expect(await eventsOf(run, "statement.finished")).toHaveLength(count + 2);
    expect((await godwit.up()).total).toBe(0);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });

  it("of 20 000 statements show the one that fails, and leave nothing", { timeout: 120_000 }, async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) =>
      n === 19_998 ? "SELECT nothing;" : `SELECT ${n};`,
    );
    const { godwit } = await testProject({ "1_a.sql": `CREATE TABLE a ();\n${lines.join("\n")}` });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.location).toMatchObject({ line: 20_000, column: 8 });
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it("of one statement of 5 MB are applied, stored and taken back", { timeout: 120_000 }, async () => {
    const megabytes = "ä".repeat((5 * 1024 * 1024) / 2);
    const text = `-- migrate:up\nCREATE TABLE a AS SELECT '${megabytes}'::text AS t;\n-- migrate:down\nDROP TABLE a;\n`;
    const { godwit, database, remove } = await testProject({ "1_a.sql": text });
    await godwit.up();
    expect(await database.query("SELECT octet_length(t) AS n FROM a")).toEqual([{ n: 5 * 1024 * 1024 }]);
    expect(
      await database.query("SELECT octet_length(up_sql) > 5000000 AS whole FROM godwit.migration_files"),
    ).toEqual([{ whole: true }]);
    await remove("1_a.sql");
    await godwit.down();
    expect(await tablesOf(database)).toEqual([]);
  });

  it("of one statement of 5 MB that fails have a short error", { timeout: 120_000 }, async () => {
    const megabytes = "ä".repeat((5 * 1024 * 1024) / 2);
    const { godwit } = await testProject({ "1_a.sql": `SELECT '${megabytes}', nothing;` });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.location).toMatchObject({ line: 1, column: megabytes.length + 12 });
    expect(`${error.message}${error.location?.excerpt}${error.detail}`.length).toBeLessThan(3000);
  });

  it("are many: a thousand files, then nothing pending", { timeout: 120_000 }, async () => {
    const files = Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [
        `${String(n).padStart(4, "0")}_t.sql`,
        `CREATE TABLE t${n} (id int);\n`,
      ]),
    );
    const { godwit, database } = await testProject(files);
    expect((await godwit.up()).total).toBe(1000);
    expect(await tablesOf(database)).toHaveLength(1000);
    expect((await godwit.up()).total).toBe(0);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null, entries: 1002 });
  });
});

describe("rubbish", () => {
  it.each([
    ["a lone semicolon", ";"],
    ["many semicolons", ";;; ;\n;"],
    ["a lone quote", "'"],
    ["a lone dollar quote", "$$"],
    ["an open comment", "/* SELECT 1;"],
    ["a lone backslash", "\\"],
    ["null bytes", "SELECT 1;\0SELECT 2;"],
    ["a page of HTML", "<!DOCTYPE html><html><body>404</body></html>"],
    ["JSON", '{"up": "SELECT 1"}'],
    ["a merge conflict", "<<<<<<< HEAD\nSELECT 1;\n=======\nSELECT 2;\n>>>>>>> main\n"],
    ["deep parentheses", `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)};`],
    ["two up sections", "-- migrate:up\nSELECT 1;\n-- migrate:up\nSELECT 2;\n"],
    ["sections the wrong way round", "-- migrate:down\nSELECT 1;\n-- migrate:up\nSELECT 2;\n"],
    ["only a way down", "-- migrate:down\nDROP TABLE a;\n"],
    ["an unknown directive", "-- godwit:nonsense\nSELECT 1;\n"],
    ["a requirement of itself", "-- godwit:requires 2_b\nSELECT 1;\n"],
    ["an empty requirement", "-- godwit:requires\nSELECT 1;\n"],
    ["a directive behind its statement", "SELECT 1;\n-- godwit:transaction off\n"],
  ])("is refused before anything is touched: %s", async (_, text) => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();", "2_b.sql": text });
    const error = await godwit.up().then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: expect.stringMatching(/^MIGRATION_MALFORMED$|^GRAPH_/) });
    expect(await hasHistory(database)).toBe(false);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("beside the migrations is passed over with a warning, or refused where it may be meant as one", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": "CREATE TABLE a ();",
      "README.md": "# Migrations",
      ".DS_Store": "x",
      "notes.txt": "x",
      "lib/helper.mjs": "export const x = 1;",
    });
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(["1_a"]);
    expect((await eventsOf(run, "warning")).map(({ message }) => message).join()).toContain("notes.txt");
    for (const name of ["2_b.SQL", "2_b.sql.bak", "2_b", "V3__x.sql"]) {
      await write({ [name]: "SELECT 1;" });
      const error = await godwit.up().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect({ name, error }).toMatchObject({ error: { code: expect.stringMatching(/^MIGRATION_/) } });
    }
  });

  it("in the history is told as such: a row that nothing explains", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();" });
    await godwit.up();
    await database.query("TRUNCATE godwit.meta");
    await failureOf(godwit.up(), "HISTORY_FOREIGN");
    await database.query(
      "INSERT INTO godwit.meta (version, min_reader, min_writer, tool_version) VALUES (99, 1, 99, 'x')",
    );
    expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
    expect((await godwit.up()).total).toBe(0);
    const error = await failureOf(
      godwit.repair({ action: "mark-not-applied", ids: ["1_a"], reason: "x" }),
      "HISTORY_TOO_NEW",
    );
    expect(error.hint).toContain("npm install");
    await database.query("UPDATE godwit.meta SET min_reader = 99");
    await failureOf(godwit.status(), "HISTORY_TOO_NEW");
  });
});
