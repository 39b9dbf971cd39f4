import { runRecord } from "../../../src/fleet/run-record.ts";
import { up } from "../../../src/fleet/up.ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRole, testDatabase } from "../../support/postgres.ts";
import {
  eventsOf,
  failureOf,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
  type Files,
} from "../../support/project.ts";

/** Everything in it is well until COMMIT, where its deferred constraint refuses. */
const FAILS_AT_COMMIT =
  "CREATE TABLE parent (id int PRIMARY KEY);\n" +
  "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);\n" +
  "INSERT INTO child VALUES (1);\n";

/** What stands behind it is sent before the answer to COMMIT is there, so none of it may take effect. */
async function expectNothingBehind(files: Files): Promise<void> {
  const { godwit, database, write } = await testProject({
    "1_a.sql": "CREATE TABLE a (id int);\n",
    "2_b.sql": FAILS_AT_COMMIT,
    ...files,
  });
  const run = godwit.up();
  const error = await failureOf(run, "MIGRATION_FAILED");
  expect(error).toMatchObject({ sqlstate: "23503" });
  expect(error.message).toContain("2_b");
  expect(error.message).toContain("COMMIT");
  expect(idsOf(error.result)).toEqual(["1_a"]);
  expect(await tablesOf(database)).toEqual(["a"]);
  const states = await statesOf(godwit);
  expect(states.slice(0, 2)).toEqual(["1_a: applied", "2_b: failed"]);
  for (const state of states.slice(2)) expect(state).toMatch(/: pending$/);
  expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_a", "2_b"]);
  expect((await eventsOf(run, "migration.started")).map(({ id }) => id)).toEqual(["1_a", "2_b"]);
  expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  await write({ "2_b.sql": "SELECT 1;" });
  await godwit.up();
  expect((await godwit.status()).targets[0]).toMatchObject({ code: "OK", counts: { pending: 0 } });
}

describe("a commit that is refused, with the next migration on its way", () => {
  it.each([
    ["one statement", { "3_c.sql": "CREATE TABLE c (id int);\n" }],
    [
      "many statements",
      { "3_c.sql": Array.from({ length: 100 }, (_, n) => `CREATE TABLE c${n} (id int);`).join("\n") },
    ],
    [
      "many migrations",
      Object.fromEntries(
        Array.from({ length: 20 }, (_, n) => [`3_c${n + 10}.sql`, `CREATE TABLE c${n} ();`]),
      ),
    ],
    [
      "settings of its own",
      { "3_c.sql": "-- godwit:lock_timeout 5s\n-- godwit:statement_timeout 5s\nCREATE TABLE c ();\n" },
    ],
    ["a statement that stands alone", { "3_c.sql": "CREATE TABLE c ();\nVACUUM c;\n" }],
    ["nothing but a statement that stands alone", { "3_c.sql": "CREATE INDEX CONCURRENTLY i ON a (id);\n" }],
    ["no transaction", { "3_c.sql": "-- godwit:transaction off\nCREATE TABLE c ();\n" }],
    ["code", { "3_c.mjs": "export const up = (db) => db.query('CREATE TABLE c ()');\n" }],
    ["a repeatable", { "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;\n" }],
    [
      "a function that catches errors",
      { "3_c.sql": "DO $$ BEGIN CREATE TABLE c (); EXCEPTION WHEN OTHERS THEN CREATE TABLE d (); END $$;\n" },
    ],
  ] as [string, Files][])("applies none of it: %s", async (_, files) => {
    await expectNothingBehind(files);
  });

  it("goes on in the right order once it is mended", async () => {
    const { godwit, write, database } = await testProject({
      "1_a.sql": FAILS_AT_COMMIT,
      "2_b.sql": "CREATE TABLE b ();",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "1_a.sql": FAILS_AT_COMMIT.replace("INSERT INTO child", "INSERT INTO parent") });
    expect(idsOf(await godwit.up())).toEqual(["1_a", "2_b"]);
    expect(await tablesOf(database)).toEqual(["b", "child", "parent"]);
  });

  it("is refused likewise on the way down", async () => {
    const down = (name: string, more = ""): string =>
      `-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n${more}`;
    const { godwit, database } = await testProject({
      "1_a.sql": down("a"),
      "2_b.sql": down("b", FAILS_AT_COMMIT),
      "3_c.sql": down("c"),
    });
    await godwit.up();
    const error = await failureOf(godwit.down({ all: true }), "MIGRATION_FAILED");
    expect(idsOf(error.result)).toEqual(["3_c"]);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied", "3_c: pending, rolled_back"]);
  });

  it("by a serialisation failure that comes again and again is refused likewise", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "CREATE TABLE a (id int);\nCREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late' USING ERRCODE = '40001'; END $$;\n" +
        "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();\n",
      "2_b.sql": "INSERT INTO a VALUES (1);\n",
      "3_c.sql": "CREATE TABLE c ();\n",
    });
    const io = {
      config: godwit.config,
      emit: () => undefined,
      signal: undefined,
      connectWaitMs: 0,
      lockWaitMs: 0,
      lockRetryMs: 1000,
      run: runRecord("up", {}),
    };
    const error = await failureOf(up(io, {}), "MIGRATION_FAILED");
    expect(error.message).toContain("2_b");
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: failed", "3_c: pending"]);
  });
});

describe("a statement that fails, with the rest of its file and the next migration on their way", () => {
  it.each([0, 1, 31, 32, 33, 99])("applies none of it: statement %i of 100", async (at) => {
    const statements = Array.from({ length: 100 }, (_, n) =>
      n === at ? "SELECT 1/0;" : `CREATE TABLE t${n} ();`,
    );
    const { godwit, database } = await testProject({
      "1_a.sql": statements.join("\n"),
      "2_b.sql": "CREATE TABLE b ();",
    });
    const run = godwit.up();
    const error = await failureOf(run, "MIGRATION_FAILED");
    expect(error.location).toMatchObject({ line: at + 1, column: 1 });
    expect(await eventsOf(run, "statement.finished")).toHaveLength(at);
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: failed", "2_b: pending"]);
  });

  it("is the one that is told, not those that fail for its sake", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "CREATE TABLE a ();\nSELECT nothing;\nSELECT also nothing;\n",
      "2_b.sql": "SELECT 1;",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "42703", location: { line: 2, column: 8 } });
  });
});

describe("a reset of the session that takes longer than the role's own statement_timeout", () => {
  it("is not cut off, and the next migration is not run outside its transaction", async () => {
    // RESET ALL brings the role's limit back, and dropping thousands of temporary tables takes longer.
    const database = await testDatabase();
    const role = await createRole("SUPERUSER");
    onTestFinished(() => role.drop([database.url]));
    await database.query(`ALTER ROLE ${role.name} SET statement_timeout = '60ms'`);
    const many =
      "DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE TEMP TABLE t%s (id int PRIMARY KEY)', n); END LOOP; END $$;\n";
    const { godwit } = await testProject(
      { "1_a.sql": many, "2_b.sql": "CREATE TABLE b ();\nCREATE TABLE c ();\n" },
      { database, options: { database: role.urlFor(database.url), statementTimeoutMs: 0 } },
    );
    expect((await godwit.up()).total).toBe(2);
    expect(await tablesOf(database)).toEqual(["b", "c"]);
  });
});
