import { describe, expect, it } from "vitest";
import { parseSql } from "../parser.ts";
import { modeOf } from "./mode-of.ts";
import { statementLocks } from "./statement-locks.ts";
import type { StatementLocks } from "./types.ts";

async function locksOf(sql: string): Promise<StatementLocks> {
  const outcome = await parseSql(sql);
  if (!outcome.ok) throw new Error(outcome.fault.message);
  return statementLocks(outcome.statements[0]!.node);
}

async function requestsOf(sql: string, major = 18): Promise<string[]> {
  return (await locksOf(sql)).requests.map(
    (request) => `${request.schema ?? ""}.${request.name} ${request.reach}: ${modeOf(request, major)}`,
  );
}

describe("the locks of a statement", () => {
  it("reach down to partitions and children unless ONLY is written", async () => {
    expect(await requestsOf("ALTER TABLE app.t ADD COLUMN x int")).toEqual([
      "app.t itself: ACCESS EXCLUSIVE",
      "app.t children: ACCESS EXCLUSIVE",
      "app.t partitions: ACCESS EXCLUSIVE",
    ]);
    expect(await requestsOf("ALTER TABLE ONLY app.t ADD COLUMN x int")).toEqual([
      "app.t itself: ACCESS EXCLUSIVE",
    ]);
  });

  it("are those of the strongest part of an ALTER TABLE, and of the other end of a foreign key", async () => {
    const requests = await requestsOf(
      "ALTER TABLE t ALTER a SET STATISTICS 5, ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES r NOT VALID",
    );
    expect(requests).toContain(".t itself: SHARE UPDATE EXCLUSIVE");
    expect(requests).toContain(".t itself: SHARE ROW EXCLUSIVE");
    expect(requests).toContain(".r itself: SHARE ROW EXCLUSIVE");
  });

  it("differ by version where servers do", async () => {
    const grant = (await locksOf("GRANT SELECT ON t TO PUBLIC")).requests[0]!;
    expect([14, 17, 18, 19, 13].map((major) => modeOf(grant, major))).toEqual([
      null,
      null,
      "ACCESS SHARE",
      "ACCESS SHARE",
      null,
    ]);
  });

  it("leave out what WITH names, and find what stands deep in a query", async () => {
    const names = (
      await locksOf(
        "WITH a AS (SELECT * FROM x), b AS (DELETE FROM y RETURNING *) SELECT * FROM a, b, (SELECT (SELECT 1 FROM z) FROM public.a) s",
      )
    ).requests.map(({ form, name, schema }) => `${form} ${schema ?? ""}.${name}`);
    expect([...new Set(names)].toSorted()).toEqual([
      "DELETE .y",
      "SELECT .x",
      "SELECT .z",
      "SELECT public.a",
    ]);
  });

  it.each([
    ["DO $$ BEGIN NULL; END $$", "the code of the DO block"],
    ["CALL p()", "the procedure that it calls"],
    ["SELECT my_function()", "the functions that it calls"],
    ["SELECT app.now()", "the functions that it calls"],
    ["SELECT count(*), pg_catalog.now() FROM t", null],
    ["DROP SCHEMA s CASCADE", "what depends on it"],
    ["VACUUM", "every table, one after the other"],
    ["CREATE TABLE t (id int)", null],
  ])("say what is not known of %s", async (sql, why) => {
    expect((await locksOf(sql)).unknown).toBe(why);
  });

  it.each([
    ["ALTER TABLE t ADD COLUMN x int", false],
    ["ALTER TABLE t ADD COLUMN x int DEFAULT 5 NOT NULL", false],
    ["ALTER TABLE t ADD COLUMN x text DEFAULT 'a'::text", false],
    ["ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()", true],
    ["ALTER TABLE t ADD COLUMN x serial CHECK (x > 0)", true],
    ["ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0)", true],
    ["ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID", false],
    ["ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i", false],
    ["ALTER TABLE t ADD CONSTRAINT c UNIQUE (x)", true],
    ["ALTER TABLE t ALTER x TYPE bigint", true],
    ["CREATE INDEX ON t (x)", true],
    ["UPDATE t SET x = 1", true],
    ["DROP TABLE t", false],
    ["COMMENT ON TABLE t IS 'x'", false],
  ])("tell whether rows are worked on: %s", async (sql, rows) => {
    expect((await locksOf(sql)).rows).toBe(rows);
  });

  it("tell what is made, unless it may be there already", async () => {
    expect((await locksOf("CREATE TABLE app.t (id int)")).creates).toEqual([{ schema: "app", name: "t" }]);
    expect((await locksOf("CREATE TABLE IF NOT EXISTS t (id int)")).creates).toEqual([]);
    expect((await locksOf("SELECT 1 AS a INTO t")).creates).toEqual([{ schema: null, name: "t" }]);
  });
});
