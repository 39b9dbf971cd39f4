import { describe, expect, it } from "vitest";
import { splitSql } from "../../sql/split.ts";
import { wantedLocks, type WantedLocks } from "./wanted-locks.ts";

async function wanted(sql: string): Promise<WantedLocks | null> {
  return wantedLocks((await splitSql(sql)).statements);
}

/** Relations by when they can be locked. */
async function named(sql: string): Promise<string[]> {
  const all = (await wanted(sql))?.requests ?? [];
  return [...new Set(all.map(({ early, name }) => `${name} ${early ? "early" : "late"}`))];
}

describe("the strong locks of a transaction", () => {
  it.each([
    "CREATE TABLE a (id int); CREATE INDEX ON a (id); ALTER TABLE a ADD COLUMN x int; DROP TABLE a",
    "SELECT * FROM a; INSERT INTO a VALUES (1); UPDATE a SET x = 1",
    "ALTER TABLE a VALIDATE CONSTRAINT c; COMMENT ON TABLE a IS 'x'",
    "DROP INDEX CONCURRENTLY i",
    "CREATE VIEW v AS SELECT * FROM a",
  ])("are none: %s", async (sql) => {
    expect(await wanted(sql)).toBeNull();
  });

  it("are on what others may use alone", async () => {
    expect(await named("CREATE TABLE a (id int REFERENCES b); ALTER TABLE a ADD COLUMN x int")).toEqual([
      "b early",
    ]);
  });

  it("can be taken early up to the first statement that works on rows", async () => {
    const sql = "ALTER TABLE a ADD x int; CREATE INDEX ON b (id); ALTER TABLE c ADD x int";
    expect(await named(sql)).toEqual(["a early", "b early", "c late"]);
  });

  it("can be taken early behind work on a new table", async () => {
    const sql = "CREATE TABLE n (id int); INSERT INTO n VALUES (1); ALTER TABLE a ADD x int";
    expect(await named(sql)).toEqual(["a early"]);
  });

  it.each([
    "SET ROLE other",
    "SELECT set_config('role', 'other', true)",
    "DO $$ BEGIN NULL; END $$",
    "SELECT my_function()",
    "SET search_path = app",
  ])("are not taken early behind %s", async (first) => {
    expect(await named(`${first}; ALTER TABLE app.a ADD x int`)).toEqual(["a late"]);
  });

  it.each([
    "SET search_path = app",
    "SET LOCAL search_path = app",
    "SET SCHEMA 'app'",
    "SELECT set_config('search_path', 'app', true)",
  ])("are not looked for under a name that may mean something else by then: %s", async (first) => {
    expect(await named(`${first}; ALTER TABLE a ADD x int`)).toEqual([]);
  });

  it("name the first statement that wants one", async () => {
    const all = await wanted("SELECT 1; CREATE TABLE n (); ALTER TABLE a ADD x int; DROP TABLE b");
    expect(all?.statement.ordinal).toBe(3);
    expect(all?.changesRows).toBe(false);
    expect((await wanted("DROP TABLE b; UPDATE a SET x = 1"))?.changesRows).toBe(true);
  });
});
