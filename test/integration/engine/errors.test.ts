import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GodwitError } from "../../../src/index.ts";
import { withClient } from "../../support/postgres.ts";
import { eventsOf, failureOf, statesOf, testProject } from "../../support/project.ts";

async function failureIn(text: string, name = "1_a.sql"): Promise<GodwitError> {
  const { godwit } = await testProject({ [name]: text });
  return failureOf(godwit.up(), "MIGRATION_FAILED");
}

describe("an error of the server", () => {
  it("carries code, place, excerpt with a caret, SQLSTATE, detail and what to do", async () => {
    const error = await failureIn(
      "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n  INSERT INTO a\n    VALUES (1);\n",
    );
    expect(error).toMatchObject({ code: "MIGRATION_FAILED", sqlstate: "23505" });
    expect(error.message).toBe('1_a: INSERT failed: duplicate key value violates unique constraint "a_pkey"');
    expect(error.location).toMatchObject({ file: join("migrations", "1_a.sql"), line: 3, column: 3 });
    expect(error.detail).toContain("Key (id)=(1) already exists.");
    expect(error.detail).toContain("a_pkey");
    expect(error.hint).toContain("godwit up");
    expect(error.stack).toBeDefined();
  });

  it.each([
    ["at the start", "SELECT nothing;", 1, 8],
    ["behind multi-byte characters", "SELECT 'äöü€😀', nothing;", 1, 17],
    [
      "behind multi-byte characters of earlier lines",
      "-- äöü€😀\nSELECT 'ü' AS \"ö\",\n  '😀😀' || nothing;",
      3,
      11,
    ],
    ["in a later statement", "SELECT 'ä';\n\n/* 😀 */ SELECT 'ß', 1 + nothing;", 3, 25],
    ["on a line with an earlier statement", "SELECT 'ä'; SELECT '€', nothing;", 1, 25],
    ["behind a tab", "SELECT\t'ä',\tnothing;", 1, 13],
    ["behind the line ends of Windows", "SELECT 'ä',\r\n  'ö',\r\n  nothing;", 3, 3],
    ["behind a byte order mark", "\uFEFFSELECT 'ä', nothing;", 1, 13],
    [
      "behind a section marker",
      "-- migrate:up\nSELECT 1;\nSELECT 'ä', nothing;\n-- migrate:down\nSELECT 1;",
      3,
      13,
    ],
    ["behind combining characters", "SELECT 'e\u0301', nothing;", 1, 14],
  ])("has the exact place: %s", async (_, text, line, column) => {
    const error = await failureIn(text);
    expect(error.sqlstate).toBe("42703");
    expect([error.location?.line, error.location?.column]).toEqual([line, column]);
    expect(error.location?.excerpt).toMatch(/nothing/);
    expect(error.location?.excerpt).toMatch(/\^/);
  });

  it("has its place in a statement that stands alone, and in a way down", async () => {
    const { godwit } = await testProject({
      "1_a.sql":
        "-- migrate:up\nCREATE TABLE a (ä int);\n  CREATE INDEX CONCURRENTLY i ON a (ä, ü);\n-- migrate:down\nSELECT 'ä', nothing;\n",
    });
    const up = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(up.location).toMatchObject({ line: 3, column: 3 });
    await godwit.repair({ action: "mark-applied", ids: ["1_a"], reason: "for the way down" });
    const down = await failureOf(godwit.down(), "MIGRATION_FAILED");
    expect(down.location).toMatchObject({ line: 5, column: 13 });
    expect(down.hint).toContain("godwit down");
  });

  it("in a function is shown at its statement with the context", async () => {
    const error = await failureIn(
      "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1 / 0;\nEND $$;\nSELECT 'ä', f();\n",
    );
    expect(error.location).toMatchObject({ line: 5, column: 1 });
    expect(error.detail).toContain("PL/pgSQL function f()");
  });

  it("in a DO block that runs other SQL shows where it stands", async () => {
    const error = await failureIn("DO $$\nBEGIN\n  EXECUTE 'SELECT nothing';\nEND $$;\n");
    expect(error.location).toMatchObject({ line: 1, column: 1 });
    expect(`${error.detail}`).toContain("SELECT nothing");
  });

  it("keeps the server's own hint beside what to do", async () => {
    const error = await failureIn("CREATE TABLE a (name text);\nSELECT nme FROM a;\n");
    expect(error.hint).toContain("a.name");
    expect(error.hint).toContain("godwit up");
  });

  it("of a deferred constraint tells that the commit was refused", async () => {
    const error = await failureIn(
      "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (1);\n",
    );
    expect(error.message).toContain("COMMIT");
    expect(error).toMatchObject({ sqlstate: "23503" });
  });

  it("of a syntax that only the server refuses has its place", async () => {
    const error = await failureIn("CREATE TABLE a (id int);\nALTER TABLE a ADD COLUMN b ünknown_type;\n");
    expect(error.location).toMatchObject({ line: 2, column: 28 });
  });

  it("shows a long line around its place", async () => {
    const error = await failureIn(`SELECT '${"ä".repeat(5000)}', nothing, '${"ö".repeat(5000)}';`);
    expect(error.location).toMatchObject({ line: 1, column: 5012 });
    expect(error.location?.excerpt).toContain("nothing");
    expect(error.location!.excerpt!.length).toBeLessThan(1000);
  });

  it("names no secrets", async () => {
    const { open } = await testProject({ "1_a.sql": "SELECT nothing;" });
    const url = "postgresql://postgres:verysecret@127.0.0.1:1/nothing";
    const error = await failureOf((await open({ database: url })).up(), "DATABASE_UNREACHABLE");
    expect(
      `${error.message} ${error.hint} ${error.detail} ${error.stack} ${JSON.stringify(error)}`,
    ).not.toContain("verysecret");
  });
});

describe("limits", () => {
  it("of a statement are kept, and the error says how to raise them", async () => {
    const { godwit, open } = await testProject({ "1_a.sql": "SELECT 1;\nSELECT pg_sleep(30);\n" });
    const error = await failureOf((await open({ statementTimeoutMs: 150 })).up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "57014", location: { line: 2 } });
    expect(error.hint).toContain("--statement-timeout");
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it("of a file come before those of the run", async () => {
    const { open } = await testProject({
      "1_a.sql": "-- godwit:statement_timeout 20s\nSELECT pg_sleep(0.4);\n",
      "2_b.sql": "-- godwit:statement_timeout 100ms\nVACUUM;\nSELECT pg_sleep(30);\n",
    });
    const error = await failureOf((await open({ statementTimeoutMs: 150 })).up(), "MIGRATION_FAILED");
    expect(error.message).toContain("2_b");
  });

  it("of the whole command end it, and what was begun is rolled back and tried again", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": "CREATE TABLE a ();",
      "2_b.sql": "SELECT pg_sleep(30);",
    });
    const error = await failureOf(godwit.up({ timeoutMs: 700 }), "TIMEOUT");
    expect(error.result).toMatchObject({ total: 1 });
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: failed"]);
    await write({ "2_b.sql": "SELECT 1;" });
    expect((await godwit.up({ timeoutMs: 20_000 })).total).toBe(1);
  });
});

describe("locks on objects", () => {
  it("are tried again, and who holds them is told", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);",
      "2_b.sql": "ALTER TABLE a ADD b int;\nCREATE TABLE b ();\n",
    });
    await godwit.up({ steps: 1 });
    await withClient(database.url, async (blocker) => {
      await blocker.query("SET application_name = 'the blocker'");
      await blocker.query("BEGIN; LOCK TABLE a");
      const run = godwit.up();
      let told = "";
      let times = 0;
      for await (const event of run) {
        if (event.type !== "migration.retrying") continue;
        told = event.reason;
        if (++times === 2) break;
      }
      await blocker.query("COMMIT");
      expect((await run).total).toBe(1);
      expect(told).toContain("the blocker");
    });
  });

  it("that hold up nobody behind them are waited for as long as the file says", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);",
      "2_b.sql": "-- godwit:lock_timeout 30s\nINSERT INTO a VALUES (1);\n",
    });
    await godwit.up({ steps: 1 });
    await withClient(database.url, async (blocker) => {
      await blocker.query("BEGIN; LOCK TABLE a");
      const run = godwit.up();
      setTimeout(() => void blocker.query("COMMIT"), 1200);
      expect((await run).total).toBe(1);
      expect(await eventsOf(run, "migration.retrying")).toEqual([]);
    });
  });
});
