import { describe, expect, it } from "vitest";
import type { Godwit } from "../../../src/index.ts";
import { withClient, type TestDatabase } from "../../support/postgres.ts";
import {
  eventsOf,
  failureOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
  type Project,
} from "../../support/project.ts";

/** Makes the ledger say of the first statement, which was done, what a crash would have left; the file has a second one. */
async function forgetOutcome(database: TestDatabase, ordinal = 1): Promise<void> {
  await database.query("DELETE FROM godwit.migration_steps WHERE ordinal > $1", [ordinal]);
  await database.query("UPDATE godwit.migration_steps SET state = 'intended' WHERE ordinal = $1", [ordinal]);
}

async function reasons(run: ReturnType<Godwit["up"]>): Promise<string[]> {
  return (await eventsOf(run, "statement.skipped")).map(({ reason }) => reason);
}

interface Indexed {
  readonly name: string;
  readonly valid: boolean;
}
async function indexesOf(database: TestDatabase, table: string): Promise<Indexed[]> {
  return database.query(
    `SELECT c.relname AS name, indisvalid AS valid FROM pg_index JOIN pg_class c ON c.oid = indexrelid
     WHERE indrelid = to_regclass($1) ORDER BY 1`,
    [table],
  );
}

/** An INVALID index, as a killed CREATE INDEX CONCURRENTLY leaves it: the duplicates that it fails for are removed. */
async function leaveInvalid(database: TestDatabase, name: string): Promise<void> {
  await database.query("INSERT INTO t VALUES (1, 'x'), (1, 'y')");
  await expect(
    withClient(database.url, (client) => client.query(`CREATE UNIQUE INDEX CONCURRENTLY ${name} ON t (id)`)),
  ).rejects.toThrow("could not create unique index");
  await database.query("DELETE FROM t");
}

/** Statements whose outcome the ledger does not know, done and not done; `undo` makes it as before. */
const KINDS: readonly { statement: string; setUp?: string; undo: string; done: string | null }[] = [
  {
    statement: "CREATE INDEX CONCURRENTLY i ON t (id)",
    undo: "DROP INDEX i",
    done: "index i is there and valid",
  },
  {
    statement:
      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t USING btree (lower(name) DESC, id) INCLUDE (name) WITH (fillfactor = 70) WHERE t.name <> 'a' /* why */",
    undo: "DROP INDEX i",
    done: "index i is there and valid",
  },
  {
    statement: "CREATE INDEX CONCURRENTLY ON ONLY t (name text_pattern_ops, (id + 1))",
    undo: "DROP INDEX t_name_expr_idx",
    done: "index t_name_expr_idx is there and valid",
  },
  {
    statement: "DROP INDEX CONCURRENTLY i",
    setUp: "CREATE INDEX i ON t (id)",
    undo: "CREATE INDEX i ON t (id)",
    done: "index i is gone",
  },
  {
    statement: "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
    undo: "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (9)",
    done: "p1 is detached",
  },
  { statement: "REINDEX TABLE CONCURRENTLY t", undo: "", done: null },
  { statement: "VACUUM t", undo: "", done: null },
];

describe.each(KINDS)("$statement, of unknown outcome,", ({ statement, setUp = "", undo, done }) => {
  async function begun(): Promise<Project> {
    const project = await testProject({
      "1_a.sql": `${statement};\nSELECT 1 / (SELECT count(*) FROM go);\n`,
    });
    await project.database.query(
      `CREATE TABLE go (); CREATE TABLE t (id int, name text);
       CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
       CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (9) TO (99); ${setUp}`,
    );
    await failureOf(project.godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(project.database);
    await project.database.query("INSERT INTO go DEFAULT VALUES");
    expect((await project.godwit.status()).targets[0]?.code).toBe("PENDING");
    return project;
  }

  it.runIf(done !== null)("counts as done where it is", async () => {
    const { godwit } = await begun();
    const run = godwit.up();
    await run;
    expect(await reasons(run)).toEqual([done]);
  });

  it("is run again where it is not", async () => {
    const { godwit, database } = await begun();
    if (undo !== "") await database.query(undo);
    const run = godwit.up();
    await run;
    expect(await reasons(run)).toEqual([]);
    expect((await eventsOf(run, "statement.started")).map(({ ordinal }) => ordinal)).toEqual([1, 2]);
  });
});

describe("a database", () => {
  it("that is made or dropped is looked for", async () => {
    const name = `godwit_resume_${process.pid}`;
    const { godwit, database, write } = await testProject({
      "1_a.sql": `CREATE DATABASE ${name};\nSELECT 1/0;\n`,
    });
    try {
      await failureOf(godwit.up(), "MIGRATION_FAILED");
      await forgetOutcome(database);
      await write({
        "1_a.sql": `CREATE DATABASE ${name};\n`,
        "2_b.sql": `DROP DATABASE ${name};\nSELECT 1/0;\n`,
      });
      const made = godwit.up();
      await failureOf(made, "MIGRATION_FAILED");
      expect(await reasons(made)).toEqual([`database ${name} is there`]);
      await forgetOutcome(database);
      await write({ "2_b.sql": `DROP DATABASE ${name};\n` });
      const dropped = godwit.up();
      expect(idsOf(await dropped)).toEqual(["2_b"]);
      expect(await reasons(dropped)).toEqual([`database ${name} is gone`]);
    } finally {
      await database.query(`DROP DATABASE IF EXISTS ${name}`);
    }
  });
});

describe("an index", () => {
  const TABLE = "CREATE TABLE t (id int, name text)";
  const CREATE = "CREATE INDEX CONCURRENTLY i ON t (id);\n";

  it("of the same name that somebody else left INVALID is dropped and built", async () => {
    for (const create of [CREATE, CREATE.replace(" i ", " IF NOT EXISTS i ")]) {
      const { godwit, database } = await testProject({ "1_a.sql": create });
      await database.query(TABLE);
      await leaveInvalid(database, "i");
      await godwit.up();
      expect(await indexesOf(database, "t")).toEqual([{ name: "i", valid: true }]);
    }
  });

  it("that somebody else is building is waited for", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id);\n",
    });
    await database.query(TABLE);
    await withClient(database.url, (blocker) =>
      withClient(database.url, async (builder) => {
        await blocker.query("BEGIN; INSERT INTO t VALUES (1)");
        const built = builder.query(CREATE);
        await expect.poll(() => indexesOf(database, "t"), { timeout: 10_000 }).toHaveLength(1);
        const run = godwit.up();
        for await (const event of run) {
          if (event.type !== "statement.progress") continue;
          expect(event.phase).toContain("index i is not valid");
          expect(event.waitingFor).toContain("CREATE INDEX CONCURRENTLY i ON t (id)");
          await blocker.query("COMMIT");
        }
        await built;
        await run;
      }),
    );
    expect(await indexesOf(database, "t")).toEqual([{ name: "i", valid: true }]);
  });

  it("that somebody else is building is waited for until the command is interrupted", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": CREATE });
    await database.query(TABLE);
    await withClient(database.url, (blocker) =>
      withClient(database.url, async (builder) => {
        await blocker.query("BEGIN; INSERT INTO t VALUES (1)");
        const built = builder.query(CREATE);
        await expect.poll(() => indexesOf(database, "t"), { timeout: 10_000 }).toHaveLength(1);
        const controller = new AbortController();
        const run = godwit.up({ signal: controller.signal });
        for await (const event of run) if (event.type === "statement.progress") controller.abort();
        await failureOf(run, "INTERRUPTED");
        await blocker.query("COMMIT");
        await built;
      }),
    );
    expect(await statesOf(godwit)).toEqual(["1_a: pending"]);
  });

  it.each([
    ["another column", "CREATE INDEX i ON t (name)"],
    ["another method", "CREATE INDEX i ON t USING hash (id)"],
    ["unique", "CREATE UNIQUE INDEX i ON t (id)"],
    ["another order", "CREATE INDEX i ON t (id DESC)"],
    ["a predicate", "CREATE INDEX i ON t (id) WHERE id > 0"],
    ["a column more", "CREATE INDEX i ON t (id) INCLUDE (name)"],
  ])("that is valid but another one (%s) is not taken for the one that was begun", async (_what, other) => {
    const { godwit, database } = await testProject({ "1_a.sql": `${CREATE}SELECT 1/0;\n` });
    await database.query(TABLE);
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database);
    await database.query(`DROP INDEX i; ${other}`);
    const error = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect(error.detail).toContain("index i is there and valid, but it is not what the statement makes");
    expect(error.hint).toContain("godwit repair mark-not-applied 1_a");
    expect((await godwit.repair()).remaining).toMatchObject([{ id: "1_a" }]);
    // Once it is out of the way nobody has to decide any more.
    await database.query("DROP INDEX i");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexesOf(database, "t")).toEqual([{ name: "i", valid: true }]);
  });

  it("is compared though columns were dropped and its name has upper case", async () => {
    const create = 'CREATE UNIQUE INDEX CONCURRENTLY "I" ON "S"."T" ("N" COLLATE "C") WHERE "N" <> \'\' ;\n';
    const { godwit, database } = await testProject({ "1_a.sql": `${create}SELECT 1/0;\n` });
    await database.query(
      'CREATE SCHEMA "S"; CREATE TABLE "S"."T" (gone int, "N" varchar(9)); ALTER TABLE "S"."T" DROP COLUMN gone',
    );
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database);
    const run = godwit.up();
    await failureOf(run, "MIGRATION_FAILED");
    expect(await reasons(run)).toEqual(["index I is there and valid"]);
  });

  it("that is gone is not looked for along search_path", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "SET search_path = s, public;\nDROP INDEX CONCURRENTLY i;\nSELECT 1/0;\n",
    });
    await database.query("CREATE SCHEMA s; CREATE TABLE s.t (id int); CREATE INDEX i ON s.t (id)");
    await database.query("CREATE TABLE t (id int); CREATE INDEX i ON t (id)");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database, 2);
    const run = godwit.up();
    await failureOf(run, "MIGRATION_FAILED");
    expect(await reasons(run)).toEqual(["done by an earlier run", "index i is gone"]);
    expect(await indexesOf(database, "public.t")).toHaveLength(1);
  });

  it("that was never there is not taken for one that was dropped", async () => {
    const { godwit } = await testProject({ "1_a.sql": "DROP INDEX CONCURRENTLY i;\n" });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
  });

  it("whose name the server chose and that failed is cleared away, and no other", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE UNIQUE INDEX CONCURRENTLY ON t (id);\n",
    });
    await database.query(`${TABLE}; CREATE INDEX t_id_idx1 ON t (id)`);
    await leaveInvalid(database, "mine");
    await database.query("INSERT INTO t VALUES (1, 'x'), (1, 'y')");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    const left = [
      { name: "mine", valid: false },
      { name: "t_id_idx", valid: false },
      { name: "t_id_idx1", valid: true },
    ];
    expect(await indexesOf(database, "t")).toEqual(left);
    await database.query("DELETE FROM t");
    await godwit.up();
    expect(await indexesOf(database, "t")).toEqual([left[0], { ...left[1], valid: true }, left[2]]);
  });
});

describe("the leftovers of REINDEX CONCURRENTLY", () => {
  it.each(["TABLE", "INDEX", "SCHEMA"])("of a %s are dropped, and no others", async (what) => {
    const name = { TABLE: "s.t", INDEX: "s.i", SCHEMA: "s" }[what];
    const { godwit, database } = await testProject({
      "1_a.sql": `REINDEX ${what} CONCURRENTLY ${name};\nSELECT 1/0;\n`,
    });
    await database.query(
      "CREATE SCHEMA s; CREATE TABLE s.t (id int, x text); CREATE INDEX i ON s.t (id); CREATE TABLE t (id int)",
    );
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database);
    await database.query(
      `CREATE INDEX i_ccnew ON s.t (id); CREATE INDEX i_ccold1 ON s.t (id); CREATE INDEX other_ccnew ON t (id)`,
    );
    await database.query(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('s.i_ccnew'::regclass, 's.i_ccold1'::regclass, 'other_ccnew'::regclass)",
    );
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexesOf(database, "s.t")).toEqual([{ name: "i", valid: true }]);
    expect(await indexesOf(database, "t")).toEqual([{ name: "other_ccnew", valid: false }]);
  });
});

describe("a detachment that another tool left pending", () => {
  it("is finalized", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n",
    });
    await database.query(
      "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
    );
    await withClient(database.url, (blocker) =>
      withClient(database.url, async (other) => {
        await blocker.query("BEGIN; SELECT FROM p");
        const detaching = Promise.allSettled([other.query("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY")]);
        const pending = "SELECT FROM pg_inherits WHERE inhdetachpending";
        await expect.poll(() => database.query(pending), { timeout: 10_000 }).toHaveLength(1);
        await database.query(
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE p DETACH%' AND pid <> pg_backend_pid()",
        );
        expect(await detaching).toMatchObject([{ reason: { code: "57014" } }]);
        await blocker.query("COMMIT");
      }),
    );
    const run = godwit.up();
    await run;
    expect(await reasons(run)).toEqual(["its detachment was pending and has been finalized"]);
    expect(await database.query("SELECT FROM pg_inherits")).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
  });
});

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
    await failureOf(godwit.up(), "NEEDS_REPAIR");
    await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect((await godwit.repair()).remaining).toMatchObject([
      { needsPerson: true, explanation: expect.stringContaining("nothing can tell but you") },
    ]);
    expect(await database.query("SELECT n FROM seen")).toEqual([{ n: 1 }]);
    await godwit.repair({ action: "mark-applied", ids: ["1_a"], reason: "did the rest by hand" });
    expect((await godwit.status()).targets[0]?.code).toBe("OK");
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
    expect(await indexesOf(database, "t")).toEqual([{ name: "i", valid: false }]);
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
