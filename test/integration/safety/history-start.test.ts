import { describe, expect, it } from "vitest";
import { createGodwit } from "../../../src/index.ts";
import { Project } from "../../e2e/cli-harness.ts";
import {
  createRole,
  query,
  serverUrl,
  testDatabase,
  type TestDatabase,
  type TestRole,
} from "../../support/postgres.ts";
import { testClient } from "./gate.ts";
import { failureOf, hasHistory, historyOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { HISTORY_VERSION } from "../../../src/history/versions.ts";

const AT_ONCE = 20;

/** Each fails if it runs twice; one takes several steps. */
const FIVE = {
  "1_counter.sql": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);\n",
  "2_a.sql": "CREATE TABLE a (id int);\nUPDATE counter SET n = n + 1;\n",
  "3_index.sql":
    "UPDATE counter SET n = n + 1;\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE TABLE c (id int);\n",
  "4_d.sql": "CREATE TABLE d (id int);\nUPDATE counter SET n = n + 1;\n",
  "tally.repeatable.sql":
    "CREATE OR REPLACE VIEW tally AS SELECT n FROM counter;\nUPDATE counter SET n = n + 1;\n",
};

async function expectOneHistory(database: TestDatabase): Promise<void> {
  expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 4 }]);
  expect((await historyOf(database)).map((row) => `${row.applied_seq} ${row.id} ${row.status}`)).toEqual([
    "1 1_counter completed",
    "2 2_a completed",
    "3 3_index completed",
    "4 4_d completed",
    "5 tally completed",
  ]);
  const [meta] = await database.query("SELECT count(*)::int AS n, min(version) AS version FROM godwit.meta");
  expect(meta).toEqual({ n: 1, version: HISTORY_VERSION });
  expect(
    await database.query(
      "SELECT migration_id FROM godwit.migration_log WHERE event LIKE '%.applied' ORDER BY seq",
    ),
  ).toHaveLength(5);
}

describe("the first start", () => {
  it(
    `of ${AT_ONCE} processes at once makes one history and runs every migration once`,
    { timeout: 120_000 },
    async () => {
      const database = await testDatabase();
      const files = Object.fromEntries(
        Object.entries(FIVE).map(([name, text]) => [`migrations/${name}`, text]),
      );
      const project = new Project(files, { DATABASE_URL: database.url });
      const finished = await Promise.all(
        Array.from({ length: AT_ONCE }, () => project.run(["up", "--json"])),
      );
      expect(finished.map(({ exit, stderr }) => `${exit} ${stderr}`)).toEqual(finished.map(() => "0 "));
      const totals = finished.map(
        ({ stdout }) => (JSON.parse(stdout) as { data: { total: number } }).data.total,
      );
      expect(totals.reduce((sum, total) => sum + total, 0)).toBe(5);
      await expectOneHistory(database);
      expect((await project.run(["verify"])).exit).toBe(0);
    },
  );

  it(`of ${AT_ONCE} sessions of one process is one first start`, async () => {
    const { godwit, open, database } = await testProject(FIVE);
    const others = await Promise.all(Array.from({ length: AT_ONCE }, () => open()));
    const results = await Promise.all(others.map((other) => other.up()));
    expect(results.reduce((sum, { total }) => sum + total, 0)).toBe(5);
    await expectOneHistory(database);
    await godwit.verify();
  });

  it("of several streams at once shares one history", async () => {
    const database = await testDatabase();
    const { open, write } = await testProject({}, { database });
    const names = Array.from({ length: 8 }, (_, n) => `s${n}`);
    await write(
      Object.fromEntries(names.map((name) => [`${name}/1_${name}.sql`, `CREATE TABLE ${name} ();\n`])),
    );
    const { config } = await open();
    const [base] = config.streams;
    const results = await Promise.all(
      names.map(async (name) => {
        const stream = { ...base!, name, migrations: `${base!.migrations}/${name}` };
        return (await createGodwit({ config: { ...config, streams: [stream] }, env: {} })).up();
      }),
    );
    expect(results.map(({ total }) => total)).toEqual(names.map(() => 1));
    expect(await tablesOf(database)).toEqual(names);
    expect(await database.query("SELECT count(*)::int AS n FROM godwit.meta")).toEqual([{ n: 1 }]);
    expect(await database.query("SELECT DISTINCT log_seq FROM godwit.migration_locks")).toEqual([
      { log_seq: "3" },
    ]);
  });
});

const ONE = { "1_a.sql": "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n" };

/** A role that may make tables in `public` and nothing else. */
async function deployRole(database: TestDatabase): Promise<TestRole> {
  const role = await createRole();
  await database.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${role.name}`);
  return role;
}

/** What a hint says to type: the lines with that beginning, as SQL. */
function sqlIn(hint: string | undefined, begin: "CREATE SCHEMA" | "GRANT"): string {
  const statements = (hint?.match(/\b(?:CREATE SCHEMA|GRANT) [^;]*;/g) ?? []).filter((one) =>
    one.startsWith(begin),
  );
  expect(statements, hint).not.toEqual([]);
  return statements.join("\n");
}

describe("the rights that a history takes", () => {
  it("are those on a schema that an administrator prepared", async () => {
    for (const prepare of [
      (role: TestRole) => `CREATE SCHEMA godwit AUTHORIZATION ${role.name}`,
      (role: TestRole) => `CREATE SCHEMA godwit; GRANT USAGE, CREATE ON SCHEMA godwit TO ${role.name}`,
    ]) {
      const { database, open } = await testProject(ONE);
      const role = await deployRole(database);
      await database.query(prepare(role));
      const godwit = await open({ database: role.urlFor(database.url) });
      expect((await godwit.up()).total).toBe(1);
      await godwit.verify();
    }
  });

  it("are named as the statement to type where the schema may not be made", async () => {
    const { database, open } = await testProject(ONE);
    const role = await deployRole(database);
    const godwit = await open({ database: role.urlFor(database.url) });
    const error = await failureOf(godwit.up(), "PERMISSION_DENIED");
    expect(error.sqlstate).toBe("42501");
    expect(await hasHistory(database)).toBe(false);
    await database.query(sqlIn(error.hint, "CREATE SCHEMA"));
    expect((await godwit.up()).total).toBe(1);
  });

  it("are named where the schema is there but not ours to write", async () => {
    const { database, open } = await testProject(ONE);
    const role = await deployRole(database);
    await database.query("CREATE SCHEMA godwit");
    const godwit = await open({ database: role.urlFor(database.url) });
    const unread = await failureOf(godwit.up(), "PERMISSION_DENIED");
    await database.query(sqlIn(unread.hint, "GRANT"));
    const unmade = await failureOf(godwit.up(), "PERMISSION_DENIED");
    await database.query(sqlIn(unmade.hint, "GRANT"));
    expect((await godwit.up()).total).toBe(1);
  });

  it("are named step by step where another role made the history", async () => {
    const { database, godwit: owner, open, write } = await testProject(ONE);
    await owner.up();
    const role = await deployRole(database);
    await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
    const godwit = await open({ database: role.urlFor(database.url) });

    const unread = await failureOf(godwit.status(), "PERMISSION_DENIED");
    await database.query(sqlIn(unread.hint, "GRANT"));
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);

    const unwritten = await failureOf(godwit.up(), "PERMISSION_DENIED");
    expect(unwritten.sqlstate).toBe("42501");
    expect(await tablesOf(database)).toEqual(["a"]);
    await database.query(sqlIn(unwritten.hint, "GRANT"));
    expect((await godwit.up()).total).toBe(1);
    expect(await historyOf(database)).toMatchObject([{ id: "1_a" }, { id: "2_b", status: "completed" }]);
    await godwit.verify();
  });

  it("suffice as those of a reader for everything that only reads", async () => {
    const { database, godwit: owner, open, write } = await testProject(ONE);
    const role = await createRole();
    const reader = await open({ database: role.urlFor(database.url) });
    expect(await statesOf(reader)).toEqual(["1_a: pending"]);
    expect((await reader.plan()).plans[0]?.migrations).toHaveLength(1);
    expect((await reader.verify()).targets[0]?.entries).toBe(0);
    expect(await hasHistory(database)).toBe(false);

    await owner.up();
    await database.query(
      `GRANT USAGE ON SCHEMA godwit TO ${role.name}; GRANT SELECT ON ALL TABLES IN SCHEMA godwit TO ${role.name}`,
    );
    expect((await reader.up()).total).toBe(0);
    expect((await reader.wait({ timeoutMs: 1000 })).reached).toBe(true);
    await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
    expect(await statesOf(reader)).toEqual(["1_a: applied", "2_b: pending"]);
    expect((await reader.plan()).plans[0]?.migrations).toHaveLength(1);
    expect((await reader.history()).targets[0]?.entries).not.toEqual([]);
    expect((await reader.verify()).targets[0]?.brokenAt).toBeNull();
    expect((await reader.repair()).remaining).toEqual([]);
    await failureOf(reader.up(), "PERMISSION_DENIED");
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it("do not help on a server that takes no writes, and the error says so", async () => {
    const { database, godwit, write } = await testProject(ONE);
    const accept = (writes: boolean): Promise<unknown> =>
      query(
        serverUrl(),
        `ALTER DATABASE ${database.name} SET default_transaction_read_only = ${writes ? "off" : "on"}`,
      );
    await accept(false);
    expect((await failureOf(godwit.up(), "PERMISSION_DENIED")).hint).toContain("target_session_attrs");
    await accept(true);
    await godwit.up();
    await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
    await accept(false);
    const error = await failureOf(godwit.up(), "PERMISSION_DENIED");
    expect(error).toMatchObject({ sqlstate: "25006", hint: expect.stringContaining("target_session_attrs") });
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);
  });

  it("may come with a role that is set when the session starts", async () => {
    const { database, open } = await testProject({
      "1_a.sql": "CREATE TABLE a AS SELECT current_user::text AS who;\n",
      "2_b.sql":
        "CREATE TABLE b AS SELECT current_user::text AS who;\nCREATE INDEX CONCURRENTLY i ON b (who);\nINSERT INTO b SELECT current_user;\n",
    });
    const owner = await deployRole(database);
    const login = await createRole("NOINHERIT");
    await database.query(
      `GRANT ${owner.name} TO ${login.name}; CREATE SCHEMA godwit AUTHORIZATION ${owner.name}`,
    );
    await database.query(`ALTER ROLE ${login.name} IN DATABASE ${database.name} SET role = ${owner.name}`);
    const godwit = await open({ database: login.urlFor(database.url) });
    expect((await godwit.up()).total).toBe(2);
    const whos = await database.query("SELECT who FROM a UNION ALL SELECT who FROM b");
    expect(whos).toEqual([owner.name, owner.name, owner.name].map((who) => ({ who })));
    expect(await database.query("SELECT DISTINCT applied_by FROM godwit.migrations")).toEqual([
      { applied_by: login.name },
    ]);
  });
});

describe("a schema that somebody else is about to create", () => {
  it.each(["ROLLBACK", "COMMIT"])("is waited for, and then made or used: %s", async (end) => {
    const { database, godwit } = await testProject(ONE);
    const other = await testClient(database.url);
    await other.query("BEGIN; CREATE SCHEMA godwit");
    const run = godwit.up();
    // The attempt that is made while files are parsed begins with BEGIN and gives up; this is the one behind it.
    await expect
      .poll(
        () =>
          database.query(
            "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE SCHEMA%'",
          ),
        { timeout: 20_000 },
      )
      .toEqual([{ n: 1 }]);
    await other.query(end);
    expect((await run).total).toBe(1);
    await godwit.verify();
  });
});

describe("a schema that is not ours", () => {
  it.each([
    ["a table meta of somebody else", "CREATE TABLE godwit.meta (key text, value text)"],
    [
      "an empty table meta of the right form",
      "CREATE TABLE godwit.meta (version int, min_reader int, min_writer int)",
    ],
    ["a table migrations", "CREATE TABLE godwit.migrations (id int)"],
    ["a table runs", "CREATE TABLE godwit.runs (id int)"],
    ["a view migration_log", "CREATE VIEW godwit.migration_log AS SELECT 1 AS one"],
    ["a type meta", "CREATE TYPE godwit.meta AS ENUM ('a')"],
    ["a type history_change", "CREATE TYPE godwit.history_change AS (id int)"],
  ])("is left alone: %s", async (_, sql) => {
    const { database, godwit } = await testProject(ONE);
    await database.query(`CREATE SCHEMA godwit; ${sql}`);
    const before = await database.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'godwit'::regnamespace",
    );
    const error = await failureOf(godwit.up(), "HISTORY_FOREIGN");
    expect(error.hint).toContain("schema");
    expect(await tablesOf(database)).not.toContain("a");
    expect(
      await database.query("SELECT relname FROM pg_class WHERE relnamespace = 'godwit'::regnamespace"),
    ).toEqual(before);
  });
});

describe("a history of a newer version", () => {
  it("that may be written by this one is, and keeps its version", async () => {
    const { database, godwit, write } = await testProject(ONE);
    await godwit.up();
    await database.query("UPDATE godwit.meta SET version = 99, min_reader = 1, min_writer = 1");
    await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
    expect((await godwit.up()).total).toBe(1);
    expect(await database.query("SELECT version FROM godwit.meta")).toEqual([{ version: 99 }]);
  });

  it("that must not be written is still read, and up with nothing to do is no writing", async () => {
    const { database, godwit, write } = await testProject(ONE);
    await godwit.up();
    await database.query("UPDATE godwit.meta SET version = 99, min_reader = 1, min_writer = 99");
    expect((await godwit.up()).total).toBe(0);
    expect((await godwit.wait({ timeoutMs: 1000 })).reached).toBe(true);
    await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);
    await godwit.verify();
    const before = await database.query("SELECT * FROM godwit.migration_log");
    await failureOf(godwit.up(), "HISTORY_TOO_NEW");
    await failureOf(godwit.down(), "HISTORY_TOO_NEW");
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await database.query("SELECT * FROM godwit.migration_log")).toEqual(before);
  });

  it("that must not be read is not", async () => {
    const { database, godwit } = await testProject(ONE);
    await godwit.up();
    await database.query("UPDATE godwit.meta SET version = 99, min_reader = 99, min_writer = 99");
    for (const work of [godwit.status(), godwit.up(), godwit.verify(), godwit.history(), godwit.plan()]) {
      expect((await failureOf(work, "HISTORY_TOO_NEW")).message).toContain("99");
    }
  });
});
