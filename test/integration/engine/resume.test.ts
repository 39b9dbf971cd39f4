import { describe, expect, it } from "vitest";
import { forgetOutcome, indexesOf, reasons } from "../../support/half-done.ts";
import { eventsOf, failureOf, idsOf, tablesOf, testProject } from "../../support/project.ts";

describe("CALL and DO that reported an error", () => {
  const OFF = "-- godwit:transaction off\n";
  const PROCEDURE = `CREATE TABLE seen (n int); CREATE PROCEDURE p(n int) LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seen VALUES (1); IF n = 2 THEN COMMIT; END IF; IF n > 0 THEN PERFORM 1/0; END IF; END $$`;

  it.each([
    ["a slip in its name", "CALL pp(1)"],
    ["an argument that is none", "CALL p(1/0)"],
    ["an error before it committed", "CALL p(1)"],
    ["a slip in its body", "DO $$ BEGIN foo; END $$"],
    ["an error in its body", "DO $$ BEGIN INSERT INTO seen VALUES (1); PERFORM 1/0; COMMIT; END $$"],
  ])("are known not to be done after %s: mended, they are run", async (_what, statement) => {
    const { godwit, database, write } = await testProject({ "1_a.sql": `${OFF}${statement};\n` });
    await database.query(PROCEDURE);
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.hint).not.toContain("repair");
    expect((await godwit.status()).targets[0]?.code).toBe("PENDING");
    await write({ "1_a.sql": `${OFF}CALL p(0);\n` });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
    expect(await database.query("SELECT n FROM seen")).toEqual([{ n: 1 }]);
  });

  it.each([
    ["CALL", "CALL p(2)"],
    ["DO", "DO $$ BEGIN INSERT INTO seen VALUES (1); COMMIT; PERFORM 1/0; END $$"],
  ])("are not run again where a part was committed: %s", async (_what, statement) => {
    const { godwit, database, write } = await testProject({
      "1_a.sql": `${OFF}CREATE TABLE a ();\n${statement};\n`,
    });
    await database.query(PROCEDURE);
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({
      sqlstate: "22012",
      hint: expect.stringContaining("repair mark-not-applied 1_a"),
    });
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
    await failureOf(godwit.up(), "NEEDS_REPAIR");
    await write({ "1_a.sql": `${OFF}CREATE TABLE a ();\nCALL p(0);\n` });
    const first = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect(first.detail).toContain("it reported an error");
    expect((await failureOf(godwit.up(), "NEEDS_REPAIR")).detail).toBe(first.detail);
    expect((await godwit.repair()).remaining).toMatchObject([
      { needsPerson: true, explanation: expect.stringContaining("nothing can tell but you") },
    ]);
    expect(await database.query("SELECT n FROM seen")).toEqual([{ n: 1 }]);
    await godwit.repair({ action: "mark-applied", ids: ["1_a"], reason: "did the rest by hand" });
    expect((await godwit.status()).targets[0]?.code).toBe("OK");
  });
});

it("one of unknown outcome is told in the same words however often it is asked for", async () => {
  const { godwit, database } = await testProject({
    "1_a.sql": "-- godwit:transaction off\nDO $$ BEGIN COMMIT; END $$;\nSELECT 1/0;\n",
  });
  await failureOf(godwit.up(), "MIGRATION_FAILED");
  await forgetOutcome(database);
  const first = await failureOf(godwit.up(), "NEEDS_REPAIR");
  const second = await failureOf(godwit.up(), "NEEDS_REPAIR");
  expect([second.message, second.detail]).toEqual([first.message, first.detail]);
  expect(first.message).toContain("its outcome is unknown");
  expect(first.detail).toBeUndefined();
});

describe("a person's word on one step", () => {
  const OFF = "-- godwit:transaction off\n";
  const PART = "DO $$ BEGIN CREATE TABLE part (); COMMIT; PERFORM 1/0; END $$;\n";
  const file = (middle: string): string => `${OFF}CREATE TABLE a ();\n${middle}CREATE TABLE b ();\n`;

  it("that it is done lets the migration go on behind it", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": file(PART) });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await failureOf(godwit.up(), "NEEDS_REPAIR")).hint).toContain("godwit repair shows how");
    const [{ choices } = { choices: [] }] = (await godwit.repair()).remaining;
    expect(choices.map(({ command }) => command)).toEqual(
      ["mark-step-applied", "mark-step-not-applied", "mark-applied", "mark-not-applied"].map(
        (action) => `godwit repair ${action} 1_a --reason "…"`,
      ),
    );
    await godwit.repair({ action: "mark-step-applied", ids: ["1_a"], reason: "enough" });
    expect((await godwit.status()).targets[0]?.code).toBe("PENDING");
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
    expect(await tablesOf(database)).toEqual(["a", "b", "part"]);
    await failureOf(
      godwit.repair({ action: "mark-step-applied", ids: ["1_a"], reason: "x" }),
      "NEEDS_REPAIR",
    );
    await godwit.verify();
  });

  it("that it is not done has it run again, edited or not", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": file(PART) });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await database.query("DROP TABLE part");
    await write({ "1_a.sql": file("CREATE TABLE whole ();\n") });
    await failureOf(godwit.up(), "NEEDS_REPAIR");
    await godwit.repair({ action: "mark-step-not-applied", ids: ["1_a"], reason: "undone" });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
    expect(await tablesOf(database)).toEqual(["a", "b", "whole"]);
  });

  it("is not asked for where the step is all of it, and refused where there is none", async () => {
    const { godwit } = await testProject({ "1_a.sql": `${OFF}${PART}`, "2_b.sql": "SELECT 1;" });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await godwit.repair()).remaining[0]?.choices).toHaveLength(2);
    await failureOf(
      godwit.repair({ action: "mark-step-applied", ids: ["2_b"], reason: "x" }),
      "NEEDS_REPAIR",
    );
    const { targets } = await godwit.history();
    expect(targets[0]?.entries.map(({ event }) => event)).toContain("step.failed");
  });
});

describe("a half-applied file that was edited", () => {
  const FILE = "CREATE TABLE a ();\nCREATE TABLE b ();\nVACUUM a;\nCREATE TABLE c ();\nSELECT 1/0;\n";

  it("may have more statements behind those that are done, in the same transaction or another one", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql": "-- godwit:transaction off\nCREATE TABLE a ();\nCREATE TABLE b ();\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "1_a.sql": "CREATE TABLE a ();\nCREATE TABLE b ();\nCREATE TABLE c ();\nVACUUM c;\n" });
    const run = godwit.up();
    await run;
    expect((await eventsOf(run, "statement.skipped")).map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
    expect(await database.query("SELECT cardinality(statement_hashes) AS n FROM godwit.migrations")).toEqual([
      { n: 4 },
    ]);
  });

  it("keeps what is done where a transaction of several was cut elsewhere", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": FILE });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(
      await database.query(
        "SELECT ordinal, cardinality(statement_hashes) AS n FROM godwit.migration_steps ORDER BY 1",
      ),
    ).toEqual([
      { ordinal: 1, n: 2 },
      { ordinal: 2, n: 1 },
    ]);
    // What stood alone may now be behind more.
    await write({
      "1_a.sql":
        "CREATE TABLE a ();\nCREATE TABLE b ();\nVACUUM a;\nCREATE TABLE d ();\nVACUUM d;\nCREATE TABLE e ();\n",
    });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["a", "b", "d", "e"]);
  });

  it.each([
    ["edited", FILE.replace("TABLE b", "TABLE bb"), 2],
    ["removed", FILE.replace("CREATE TABLE b ();\n", ""), 2],
    ["preceded by another", `CREATE TABLE z ();\n${FILE}`, 1],
    ["cut off", "CREATE TABLE a ();\n", 2],
  ])("is refused where a statement that is done was %s, with its place", async (_what, text, line) => {
    const { godwit, write } = await testProject({ "1_a.sql": FILE });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "1_a.sql": text });
    const error = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect(error.message).toContain(`statement ${line} of its up is done`);
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
    const { remaining } = await godwit.repair();
    expect(remaining).toMatchObject([
      { needsPerson: true, explanation: expect.stringContaining("says something else there now") },
    ]);
    await write({ "1_a.sql": FILE.replace("SELECT 1/0;\n", "") });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
  });

  it("goes on from a ledger that has but one hash of each step", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": FILE });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await database.query("UPDATE godwit.migration_steps SET statement_hashes = NULL");
    await write({ "1_a.sql": FILE.replace("CREATE TABLE c ();\nSELECT 1/0;\n", "CREATE TABLE d ();\n") });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["a", "b", "d"]);
  });

  it("has what became of a statement that was begun and edited settled first", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql":
        "CREATE TABLE t (id int);\nINSERT INTO t VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (id);\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    // As a run that was killed leaves it.
    await database.query(
      "CREATE INDEX i ON t (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
    );
    await write({
      "1_a.sql":
        "CREATE TABLE t (id int);\nINSERT INTO t VALUES (1), (1);\nCREATE INDEX CONCURRENTLY j ON t (id);\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexesOf(database, "t")).toEqual([{ name: "j", valid: true }]);
  });

  it("is refused where the statement that was begun and edited turns out to be done", async () => {
    const create = "CREATE INDEX CONCURRENTLY i ON t (id);\n";
    const { godwit, database, write } = await testProject({
      "1_a.sql": `CREATE TABLE t (id int);\n${create}SELECT 1/0;\n`,
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database, 2);
    await write({ "1_a.sql": "CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY j ON t (id);\n" });
    for (let times = 0; times < 2; times++) {
      const error = await failureOf(godwit.up(), "NEEDS_REPAIR");
      expect(error.message).toContain("which the file does not have at its place any more, and it is done");
      expect(await indexesOf(database, "t")).toEqual([{ name: "i", valid: true }]);
    }
    await write({ "1_a.sql": `CREATE TABLE t (id int);\n${create}` });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
  });

  it("may have the statement that was begun pushed back or removed where it is not done", async () => {
    const create = "CREATE INDEX CONCURRENTLY i ON t (id);\n";
    const { godwit, database, write } = await testProject({
      "1_a.sql": `CREATE TABLE t (id int);\n${create}SELECT 1/0;\n`,
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database, 2);
    await database.query("DROP INDEX i");
    await write({ "1_a.sql": `CREATE TABLE t (id int);\nCREATE TABLE u ();\n${create}SELECT 1/0;\n` });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexesOf(database, "t")).toEqual([{ name: "i", valid: true }]);
    await forgetOutcome(database, 3);
    await database.query("DROP INDEX i");
    await write({ "1_a.sql": "CREATE TABLE t (id int);\nCREATE TABLE u ();\n" });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
    expect(await database.query("SELECT FROM godwit.migration_steps")).toEqual([]);
  });
});

describe("a way down of several steps", () => {
  it("goes on behind what is done, with what was begun settled", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": `-- migrate:up
CREATE TABLE t (id int);
CREATE INDEX i ON t (id);
-- migrate:down
DROP INDEX CONCURRENTLY i;
DROP TABLE t;
`,
    });
    await godwit.up();
    await database.query("CREATE VIEW v AS SELECT * FROM t");
    await failureOf(godwit.down(), "MIGRATION_FAILED");
    await forgetOutcome(database);
    await database.query("DROP VIEW v");
    const run = godwit.down();
    await run;
    expect(await reasons(run)).toEqual(["index i is gone"]);
    expect(await tablesOf(database)).toEqual([]);
  });
});

it("a constraint that is not valid yet is validated by what comes behind it", async () => {
  const { godwit, database } = await testProject({
    "1_a.sql":
      "-- godwit:transaction off\nALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\n",
  });
  await database.query("CREATE TABLE t (id int); INSERT INTO t VALUES (0)");
  await failureOf(godwit.up(), "MIGRATION_FAILED");
  await database.query("UPDATE t SET id = 1");
  await godwit.up();
  expect(await database.query("SELECT convalidated FROM pg_constraint WHERE conname = 'c'")).toEqual([
    { convalidated: true },
  ]);
});
