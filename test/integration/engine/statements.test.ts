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

/** Commands that ran, with a star at those that stood alone. */
async function tagsOf(run: Parameters<typeof eventsOf>[0]): Promise<string[]> {
  return (await eventsOf(run, "statement.started")).map(({ tag, standalone }) =>
    standalone ? `${tag}*` : tag,
  );
}

describe("a file of statements", () => {
  it("is one transaction with its line of history", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int);\nINSERT INTO a SELECT generate_series(1, 3);\nCREATE TABLE b AS SELECT txid_current() AS tx;\n",
    });
    const run = godwit.up();
    await run;
    const rows = await database.query(
      "SELECT count(DISTINCT x) AS n FROM (SELECT xmin::text AS x FROM a UNION ALL SELECT xmin::text FROM b UNION ALL SELECT xmin::text FROM godwit.migrations) t",
    );
    expect(rows).toEqual([{ n: "1" }]);
    expect((await eventsOf(run, "statement.finished")).map(({ tag, rows: count }) => [tag, count])).toEqual([
      ["CREATE TABLE", null],
      ["INSERT", 3],
      ["CREATE TABLE AS", 1],
    ]);
  });

  it("tells of each statement its place, time and rows", async () => {
    const { godwit } = await testProject({
      "1_a.sql":
        "CREATE TABLE ä (id int);\n  INSERT INTO ä VALUES (1), (2);  DELETE FROM ä WHERE id = 1;\nSELECT pg_sleep(0.05);\n",
    });
    const run = godwit.up();
    await run;
    const started = await eventsOf(run, "statement.started");
    expect(started.map(({ ordinal, location }) => [ordinal, location.line, location.column])).toEqual([
      [1, 1, 1],
      [2, 2, 3],
      [3, 2, 35],
      [4, 3, 1],
    ]);
    expect(started[1]?.sql).toBe("INSERT INTO ä VALUES (1), (2)");
  });

  it("measures how long each took", async () => {
    const { godwit } = await testProject({ "1_a.sql": "SELECT pg_sleep(0.2);\nSELECT 1;\n" });
    const run = godwit.up();
    await run;
    const [slow, quick] = await eventsOf(run, "statement.finished");
    expect(quick?.durationMs).toBeLessThan(slow!.durationMs);
    const [whole] = await eventsOf(run, "migration.finished");
    expect(whole?.durationMs).toBeGreaterThanOrEqual(slow!.durationMs + quick!.durationMs);
  });

  it("hands on the notices and warnings of the server", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "DROP TABLE IF EXISTS nothing;\nDO $$ BEGIN RAISE WARNING 'wörd %', 7; END $$;\n",
    });
    const run = godwit.up();
    await run;
    expect(await eventsOf(run, "notice")).toMatchObject([
      {
        id: "1_a",
        target: "default",
        direction: "up",
        severity: "NOTICE",
        message: expect.stringContaining("nothing"),
      },
      { id: "1_a", severity: "WARNING", message: "wörd 7" },
    ]);
  });
});

describe("a statement that stands alone", () => {
  it("splits its file into steps, in which the others keep their transactions", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nCREATE INDEX CONCURRENTLY i ON a (id);\nINSERT INTO a VALUES (2);\nVACUUM (ANALYZE) a;\nINSERT INTO a VALUES (3);\n",
    });
    const run = godwit.up();
    await run;
    expect(await tagsOf(run)).toEqual([
      "CREATE TABLE",
      "INSERT",
      "CREATE INDEX*",
      "INSERT",
      "VACUUM*",
      "INSERT",
    ]);
    expect(await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")).toEqual([
      { indisvalid: true },
    ]);
    expect(await database.query("SELECT count(DISTINCT xmin::text) AS n FROM a")).toEqual([{ n: "3" }]);
    expect(await database.query("SELECT * FROM godwit.migration_steps")).toEqual([]);
  });

  it("may use a value right behind the one that added it to an enum", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE a (m mood);\n",
      "2_b.sql":
        "ALTER TYPE mood ADD VALUE 'glad';\nINSERT INTO a VALUES ('glad');\nALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad';\nALTER TYPE mood RENAME VALUE 'sad' TO 'blue';\n",
    });
    await godwit.up();
    expect(await database.query("SELECT m FROM a")).toEqual([{ m: "glad" }]);
  });

  it("is found by the catalog where grammar does not tell", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "REINDEX TABLE p;\nREINDEX TABLE o;\n" });
    await database.query(
      "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); CREATE INDEX ON p (id); CREATE TABLE o (id int)",
    );
    const run = godwit.up();
    await run;
    expect(await tagsOf(run)).toEqual(["REINDEX*", "REINDEX"]);
  });

  it("is found by the server's refusal where even the catalog does not tell yet", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TABLE p (id int) PARTITION BY RANGE (id);\nCREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);\nCREATE INDEX pi ON p (id);\n",
      "2_b.sql":
        "INSERT INTO p VALUES (1);\nREINDEX TABLE p;\nREINDEX INDEX pi;\nINSERT INTO p VALUES (2);\n",
      "3_c.sql": "CREATE TABLE c ();\nREINDEX TABLE p;\n",
    });
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(["1_a", "2_b", "3_c"]);
    expect(await database.query("SELECT id FROM p ORDER BY 1")).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
    expect((await godwit.status()).targets[0]?.code).toBe("OK");
  });

  it("is found so also within the file that made the relation", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE TABLE p (id int) PARTITION BY RANGE (id);\nREINDEX TABLE p;\nCREATE TABLE q ();\n",
    });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["p", "q"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
  });

  it("keeps its steps when it fails, and goes on behind them", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY i ON a (id);\nINSERT INTO a VALUES (2);\n",
    });
    const failed = godwit.up();
    const error = await failureOf(failed, "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "23505", location: { line: 3, column: 1 } });
    expect(await eventsOf(failed, "migration.failed")).toMatchObject([{ rolledBack: false }]);
    expect(await statesOf(godwit)).toEqual(["1_a: half_applied"]);
    // What it left INVALID is gone already.
    expect(await database.query("SELECT to_regclass('i') AS i")).toEqual([{ i: null }]);
    await database.query("DELETE FROM a WHERE ctid = '(0,1)'");
    const run = godwit.up();
    await run;
    expect((await eventsOf(run, "statement.skipped")).map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    expect(await tagsOf(run)).toEqual(["CREATE INDEX*", "INSERT"]);
    expect(await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")).toEqual([
      { indisvalid: true },
    ]);
    expect(await database.query("SELECT count(*) AS n FROM a")).toEqual([{ n: "2" }]);
    await write({ "2_b.sql": "SELECT 1;" });
    expect(idsOf(await godwit.up())).toEqual(["2_b"]);
  });

  it("may be mended behind the steps that are done, but not in them", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\nVACUUM a;\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "1_a.sql": "CREATE TABLE a (id bigint);\nVACUUM a;\nSELECT 1;\n" });
    const error = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect(error.hint).toContain("put the finished statements back");
    await write({ "1_a.sql": "-- a comment\nCREATE TABLE a (id int);\nVACUUM a;\nSELECT 1;\n" });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
  });

  it("keeps the settings of the file's earlier steps, also in a later session", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql":
        "CREATE SCHEMA s;\nSET search_path = s;\nCREATE TABLE a (id int);\nVACUUM s.a;\nCREATE TABLE b AS SELECT current_setting('search_path') AS p;\nSELECT 1 / (SELECT count(*) FROM public.go);\nCREATE TABLE c ();\n",
    });
    await database.query("CREATE TABLE go ()");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await database.query("INSERT INTO go DEFAULT VALUES");
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["go", "s.a", "s.b", "s.c"]);
    expect(await database.query("SELECT p FROM s.b")).toEqual([{ p: "s" }]);
    await write({ "2_b.sql": "CREATE TABLE d ();" });
    await godwit.up();
    expect(await tablesOf(database)).toContain("d");
  });

  it("is refused behind a temporary table or a prepared statement of its file, before anything runs", async () => {
    for (const made of [
      "CREATE TEMP TABLE t (id int)",
      "SELECT 1 AS x INTO TEMP t",
      "CREATE TEMP VIEW t AS SELECT 1",
      "PREPARE t AS SELECT 1",
      "LISTEN t",
      "DECLARE t CURSOR WITH HOLD FOR SELECT 1",
    ]) {
      const { godwit, database } = await testProject({
        "1_a.sql": `CREATE TABLE a (id int);\n${made};\nVACUUM a;\nINSERT INTO a VALUES (1);\n`,
      });
      const error = await failureOf(godwit.up(), "STATEMENT_NEEDS_SESSION");
      expect({ made, ...error.location }).toMatchObject({ made, line: 2, column: 1 });
      expect(await hasHistory(database)).toBe(false);
    }
  });

  it("is no obstacle to temporary tables within one step", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1 AS id;\nCREATE TABLE a AS SELECT * FROM t;\nVACUUM a;\nCREATE TEMP TABLE u AS SELECT 2 AS id;\nINSERT INTO a SELECT * FROM u;\n",
    });
    await godwit.up();
    expect(await database.query("SELECT id FROM a ORDER BY 1")).toEqual([{ id: 1 }, { id: 2 }]);
  });
});

describe("transaction off", () => {
  it("commits statement by statement", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "-- godwit:transaction off\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await database.query("SELECT count(DISTINCT xmin::text) AS n FROM a")).toEqual([{ n: "2" }]);
    expect(await statesOf(godwit)).toEqual(["1_a: half_applied"]);
  });

  it("is what a procedure that commits needs, and the error says so", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (1); COMMIT; INSERT INTO a VALUES (2); END $$;\n",
      "2_b.sql": "CALL fill();\n",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "2D000", location: { line: 1, column: 1 } });
    expect(error.hint).toContain("-- godwit:transaction off");
    expect(await database.query("SELECT * FROM a")).toEqual([]);
    await write({ "2_b.sql": "-- godwit:transaction off\nCALL fill();\n" });
    await godwit.up();
    expect(await database.query("SELECT count(*) AS n FROM a")).toEqual([{ n: "2" }]);
  });

  it("is what a DO block that commits needs, and that is known before anything runs", async () => {
    const block = "DO $$ BEGIN CREATE TABLE a (); COMMIT; CREATE TABLE b (); END $$;\n";
    const { godwit, database, write } = await testProject({ "1_a.sql": block });
    const error = await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    expect(error.hint).toContain("-- godwit:transaction off");
    expect(await hasHistory(database)).toBe(false);
    await write({ "1_a.sql": `-- migrate:up transaction:false\n${block}` });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["a", "b"]);
  });

  it("is never opened by the file itself", async () => {
    for (const text of [
      "BEGIN;\nSELECT 1;\nCOMMIT;",
      "START TRANSACTION;",
      "SELECT 1;\nROLLBACK;",
      "PREPARE TRANSACTION 'x';",
    ]) {
      const { godwit, database } = await testProject({ "1_a.sql": text });
      await failureOf(godwit.up(), "MIGRATION_MALFORMED");
      expect(await hasHistory(database)).toBe(false);
    }
  });

  it("has no savepoints, on which a failure behind them could be rolled back unseen", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE TABLE a ();\nSAVEPOINT s;\nDROP TABLE a;\nROLLBACK TO SAVEPOINT s;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    expect(await hasHistory(database)).toBe(false);
  });
});

describe("bodies that hold semicolons", () => {
  it("are not split", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int); /* ; /* nested ; */ ; */\n" +
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $fn$ BEGIN RETURN 1; -- ;\nEND; $fn$;\n" +
        "CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM a WHERE id < 0; DELETE FROM a WHERE id > 9);\n" +
        "INSERT INTO a VALUES (1); -- the end ;\nSELECT E'it\\'s; fine', 'also; ''fine''', \"a\".id AS \"x;y\" FROM a;\n",
    });
    const run = godwit.up();
    await run;
    expect((await eventsOf(run, "migration.finished"))[0]?.statements).toBe(5);
    expect(await database.query("SELECT f() AS f")).toEqual([{ f: 1 }]);
  });

  it("may be BEGIN ATOMIC", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int);\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO a VALUES (1); SELECT 7; END;\nSELECT f();\n",
    });
    await godwit.up();
    expect(await database.query("SELECT count(*) AS n FROM a")).toEqual([{ n: "1" }]);
  });
});
