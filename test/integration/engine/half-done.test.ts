import { describe, expect, it } from "vitest";
import { forgetOutcome, indexesOf, leaveInvalid, reasons } from "../../support/half-done.ts";
import { createRole, testDatabase, withClient } from "../../support/postgres.ts";
import { eventsOf, failureOf, idsOf, statesOf, testProject, type Project } from "../../support/project.ts";

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

  it("counts as done where it is, unless that makes no difference", async () => {
    const { godwit } = await begun();
    const run = godwit.up();
    await run;
    expect(await reasons(run)).toEqual(done === null ? [] : [done]);
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

describe("a subscription", () => {
  const NOWHERE = "CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p";

  it.each([
    [
      "made",
      `CREATE SUBSCRIPTION s ${NOWHERE}`,
      "",
      `CREATE SUBSCRIPTION s ${NOWHERE} WITH (connect = false)`,
    ],
    [
      "given a publication",
      "ALTER SUBSCRIPTION s ADD PUBLICATION q",
      `CREATE SUBSCRIPTION s ${NOWHERE} WITH (connect = false)`,
      "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (refresh = false)",
    ],
    [
      "dropped",
      "DROP SUBSCRIPTION s",
      `CREATE SUBSCRIPTION s ${NOWHERE} WITH (connect = false, slot_name = 'nowhere')`,
      "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s",
    ],
  ])("that is %s is looked for", async (_what, statement, setUp, made) => {
    const { godwit, database } = await testProject({ "1_a.sql": `${statement};\n` });
    const statements = (sql: string): string[] => sql.split("; ").filter((one) => one !== "");
    for (const sql of statements(setUp)) await database.query(sql);
    try {
      // No publisher is there to talk to.
      await failureOf(godwit.up(), "MIGRATION_FAILED");
      await forgetOutcome(database);
      await failureOf(godwit.up(), "MIGRATION_FAILED");
      await forgetOutcome(database);
      for (const sql of statements(made)) await database.query(sql);
      const run = godwit.up();
      expect(idsOf(await run)).toEqual(["1_a"]);
      expect(await reasons(run)).toHaveLength(1);
    } finally {
      for (const sql of [
        "ALTER SUBSCRIPTION s DISABLE",
        "ALTER SUBSCRIPTION s SET (slot_name = NONE)",
        "DROP SUBSCRIPTION s",
      ])
        await database.query(sql).catch(() => undefined);
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
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
    const [remaining] = (await godwit.repair()).remaining;
    expect(remaining).toMatchObject({ id: "1_a", needsPerson: true });
    expect(remaining?.explanation).toContain("what is in the catalog does not settle it");
    expect(remaining?.choices.map(({ command }) => command.split(" ").slice(0, 3).join(" "))).toEqual([
      "godwit up",
      "godwit repair mark-step-applied",
      "godwit repair mark-step-not-applied",
      "godwit repair mark-applied",
      "godwit repair mark-not-applied",
    ]);
    const again = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect([again.message, again.detail]).toEqual([error.message, error.detail]);
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
    const others = [
      { name: "mine", valid: false },
      { name: "t_id_idx1", valid: true },
    ];
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexesOf(database, "t")).toEqual(others);
    // As a run that was killed leaves it.
    await database.query("DELETE FROM t");
    await leaveInvalid(database, "t_id_idx");
    await database.query("INSERT INTO t VALUES (1, 'x'), (1, 'y')");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexesOf(database, "t")).toEqual(others);
    await database.query("DELETE FROM t");
    await godwit.up();
    expect(await indexesOf(database, "t")).toEqual([others[0], { name: "t_id_idx", valid: true }, others[1]]);
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

describe("an index of unknown outcome, for a role that may make no temporary tables,", () => {
  it.each([
    ["CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(a) DESC) WHERE a <> 'x'", "APPLIED"],
    ["CREATE INDEX CONCURRENTLY i ON t (a)", "NEEDS_REPAIR"],
  ])("is compared all the same: %s", async (made, outcome) => {
    const database = await testDatabase();
    const role = await createRole();
    await database.query(
      `REVOKE TEMP ON DATABASE ${database.name} FROM PUBLIC; GRANT CREATE ON DATABASE ${database.name} TO ${role.name};
       GRANT CREATE ON SCHEMA public TO ${role.name}; CREATE TABLE go (); GRANT SELECT ON go TO ${role.name}`,
    );
    const statement = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(a) DESC) WHERE a <> 'x'";
    const { godwit } = await testProject(
      {
        "1_t.sql": "CREATE TABLE t (a text);\n",
        "2_i.sql": `${statement};\nSELECT 1 / (SELECT count(*) FROM go);\n`,
      },
      { database, options: { database: role.urlFor(database.url) } },
    );
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await forgetOutcome(database);
    await database.query(`INSERT INTO go DEFAULT VALUES; DROP INDEX i; ${made.replace("CONCURRENTLY ", "")}`);
    if (outcome === "NEEDS_REPAIR") {
      const { detail } = await failureOf(godwit.up(), "NEEDS_REPAIR");
      expect(detail).toContain("it is not what the statement makes");
    } else {
      const run = godwit.up();
      await run;
      expect(await reasons(run)).toEqual(["index i is there and valid"]);
    }
    expect(await database.query("SELECT FROM pg_class WHERE relname LIKE 'godwit\\_copy%'")).toEqual([]);
  });
});
