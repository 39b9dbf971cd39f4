import { describe, expect, it, onTestFinished } from "vitest";
import { createRole, testDatabase } from "../../support/postgres.ts";
import {
  failureOf,
  hasHistory,
  statesOf,
  tablesOf,
  testProject,
  type Project,
} from "../../support/project.ts";

/** What a migration may leave behind in its session, and how the next one would see it. */
const LEFT_BEHIND: readonly (readonly [string, string, string])[] = [
  ["SET search_path", "SET search_path = pg_catalog", "current_setting('search_path')"],
  ["a setting of its own making", "SET my.thing = 'left'", "current_setting('my.thing', true)"],
  ["set_config", "SELECT set_config('work_mem', '77MB', false)", "current_setting('work_mem')"],
  [
    "session_replication_role",
    "SET session_replication_role = replica",
    "current_setting('session_replication_role')",
  ],
  ["row_security", "SET row_security = off", "current_setting('row_security')"],
  ["check_function_bodies", "SET check_function_bodies = off", "current_setting('check_function_bodies')"],
  [
    "default_transaction_isolation",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "current_setting('default_transaction_isolation')",
  ],
  [
    "standard_conforming_strings",
    "SET standard_conforming_strings = off",
    "current_setting('standard_conforming_strings')",
  ],
  [
    "client_encoding",
    "SELECT set_config('client_encoding', 'LATIN1', false)",
    "current_setting('client_encoding')",
  ],
  ["TimeZone", "SET TIME ZONE 'Pacific/Chatham'", "current_setting('TimeZone')"],
  ["lock_timeout", "SET lock_timeout = '7ms'", "current_setting('lock_timeout')"],
  ["statement_timeout", "SET statement_timeout = '50s'", "current_setting('statement_timeout')"],
  [
    "idle_in_transaction_session_timeout",
    "SET idle_in_transaction_session_timeout = 0",
    "current_setting('idle_in_transaction_session_timeout')",
  ],
  ["application_name", "SET application_name = 'mine'", "current_setting('application_name')"],
  ["a prepared statement", "PREPARE left_over AS SELECT 1", "(SELECT count(*) FROM pg_prepared_statements)"],
  ["a temporary table", "CREATE TEMP TABLE left_over (id int)", "to_regclass('pg_temp.left_over')"],
  [
    "a temporary function",
    "CREATE FUNCTION pg_temp.left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "to_regproc('pg_temp.left_over')",
  ],
  ["LISTEN", "LISTEN left_over", "(SELECT count(*) FROM pg_listening_channels())"],
  [
    "a cursor WITH HOLD",
    "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1",
    "(SELECT count(*) FROM pg_cursors)",
  ],
  ["currval of a sequence", "CREATE SEQUENCE s; SELECT nextval('s')", "current_user"],
];

async function seen(project: Project, what: string): Promise<unknown[]> {
  await project.database.query("CREATE TABLE seen (id serial, value text)");
  await project.write({
    "0_before.sql": `INSERT INTO seen (value) SELECT ${what}::text;`,
    "2_after.sql": `INSERT INTO seen (value) SELECT ${what}::text;`,
    "3_after.sql": `-- godwit:transaction off\nINSERT INTO seen (value) SELECT ${what}::text;`,
    "4_after.mjs": `export const up = (db) => db.query("INSERT INTO public.seen (value) SELECT ${what}::text");\n`,
    "r.repeatable.sql": `INSERT INTO seen (value) SELECT ${what}::text;`,
  });
  await project.godwit.up();
  const rows = await project.database.query<{ value: unknown }>("SELECT value FROM seen ORDER BY id");
  return rows.map(({ value }) => value);
}

describe("what one migration leaves in its session", () => {
  it.each(LEFT_BEHIND)("is gone for the next one: %s", async (_, statement, what) => {
    const values = await seen(await testProject({ "1_leaves.sql": `${statement};\n` }), what);
    expect(values).toHaveLength(5);
    // A setting that nobody made is not known before; afterwards it is known and empty, which PostgreSQL cannot undo.
    expect(values.map((value) => value ?? "")).toEqual(values.map(() => values[0] ?? ""));
  });

  it.each(LEFT_BEHIND)("is gone also behind one in steps: %s", async (_, statement, what) => {
    const values = await seen(
      await testProject({ "1_leaves.sql": `CREATE TABLE v ();\nVACUUM v;\n${statement};\n` }),
      what,
    );
    expect(values.map((value) => value ?? "")).toEqual(values.map(() => values[0] ?? ""));
  });

  it.each(LEFT_BEHIND)("is gone also behind code: %s", async (_, statement, what) => {
    const values = await seen(
      await testProject({
        "1_leaves.mjs": `export const up = (db) => db.query(${JSON.stringify(statement)});\n`,
      }),
      what,
    );
    expect(values.map((value) => value ?? "")).toEqual(values.map(() => values[0] ?? ""));
  });

  it("is gone also when it failed", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.sql":
        "-- godwit:transaction off\nSET search_path = pg_catalog;\nSET my.thing = 'left';\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({
      "1_a.sql":
        "-- godwit:transaction off\nSET search_path = pg_catalog;\nSET my.thing = 'left';\nSELECT 1;\n",
      "2_b.sql": "CREATE TABLE b AS SELECT current_setting('my.thing', true) AS t;",
    });
    await godwit.up();
    expect(await database.query("SELECT coalesce(t, '') AS t FROM public.b")).toEqual([{ t: "" }]);
  });
});

describe("the role of a migration", () => {
  /** A project that connects as a plain role which may become another one, and owns nothing but its database. */
  async function plainProject(): Promise<{ project: Project; plain: string; other: string }> {
    const other = await createRole();
    onTestFinished(() => other.drop());
    const plain = await createRole();
    onTestFinished(() => plain.drop());
    const database = await testDatabase({ owner: plain.name });
    await database.query(
      `GRANT ${other.name} TO ${plain.name}; GRANT CREATE ON SCHEMA public TO ${other.name}, ${plain.name}`,
    );
    const project = await testProject({}, { database, options: { database: plain.urlFor(database.url) } });
    return { project, plain: plain.name, other: other.name };
  }

  it.each(["SET ROLE", "SET LOCAL ROLE"])(
    "may be changed with %s; history is written under the own one",
    async (set) => {
      const { project, plain, other } = await plainProject();
      const { godwit, database, write } = project;
      await write({
        "1_a.sql": `${set} ${other};\nCREATE TABLE a ();\n`,
        "2_b.sql": "CREATE TABLE b ();\n",
        "3_c.sql": `${set === "SET ROLE" ? set : "SET ROLE"} ${other};\nCREATE TABLE c (id int);\nCREATE INDEX CONCURRENTLY i ON c (id);\nCREATE TABLE d ();\n`,
        "4_e.sql": "CREATE TABLE e ();\n",
      });
      expect((await godwit.up()).total).toBe(4);
      expect(
        await database.query(
          "SELECT relname, relowner::regrole::text AS owner FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
        ),
      ).toEqual([
        { relname: "a", owner: other },
        { relname: "b", owner: plain },
        { relname: "c", owner: other },
        { relname: "d", owner: other },
        { relname: "e", owner: plain },
      ]);
      expect(await database.query("SELECT DISTINCT applied_by FROM godwit.migrations")).toEqual([
        { applied_by: plain },
      ]);
      expect(
        await database.query(`SELECT has_schema_privilege('${other}', 'godwit', 'USAGE') AS may`),
      ).toEqual([{ may: false }]);
    },
  );

  it("may be changed by a failing one; the failure is recorded under the own one", async () => {
    const { project, other } = await plainProject();
    await project.write({ "1_a.sql": `SET ROLE ${other};\nSELECT 1/0;\n`, "2_b.sql": "SELECT 1;" });
    await failureOf(project.godwit.up(), "MIGRATION_FAILED");
    expect(await statesOf(project.godwit)).toEqual(["1_a: failed", "2_b: pending"]);
  });

  it("may be changed by SET SESSION AUTHORIZATION of a superuser", async () => {
    const role = await createRole();
    const database = await testDatabase();
    onTestFinished(() => role.drop([database.url]));
    await database.query(`GRANT CREATE ON SCHEMA public TO ${role.name}`);
    const { godwit } = await testProject(
      {
        "1_a.sql": `SET SESSION AUTHORIZATION ${role.name};\nCREATE TABLE a ();\n`,
        "2_b.sql": "CREATE TABLE b AS SELECT session_user::text AS s, current_user::text AS c;\n",
        "3_c.sql": `SET SESSION AUTHORIZATION ${role.name};\nCREATE TABLE c ();\nVACUUM c;\nCREATE TABLE d ();\n`,
        "4_e.sql": "CREATE TABLE e AS SELECT session_user::text AS s;\n",
      },
      { database },
    );
    await godwit.up();
    const [row] = await database.query("SELECT b.s, b.c, e.s AS later FROM b, e");
    expect(row?.["s"]).not.toBe(role.name);
    expect(new Set(Object.values(row!)).size).toBe(1);
    expect(await database.query("SELECT DISTINCT applied_by FROM godwit.migrations")).toEqual([
      { applied_by: row?.["s"] },
    ]);
    expect(await database.query("SELECT tableowner FROM pg_tables WHERE tablename IN ('a', 'd')")).toEqual([
      { tableowner: role.name },
      { tableowner: role.name },
    ]);
  });

  it("is told when it lacks a right", async () => {
    const { project } = await plainProject();
    await project.database.query("CREATE TABLE secret ()");
    await project.write({ "1_a.sql": "CREATE TABLE a ();\nSELECT * FROM secret;\n" });
    const error = await failureOf(project.godwit.up(), "PERMISSION_DENIED");
    expect(error).toMatchObject({ sqlstate: "42501", location: { line: 2 } });
    expect(await tablesOf(project.database)).toEqual(["secret"]);
  });
});

describe("the history", () => {
  it("is written whatever the session's settings are by then", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "SET search_path = '';\nSET standard_conforming_strings = off;\nSET bytea_output = escape;\nSET DateStyle = 'SQL, DMY';\nSET TIME ZONE 'Asia/Kathmandu';\nSET IntervalStyle = sql_standard;\nSET extra_float_digits = -15;\nSET quote_all_identifiers = on;\nSET plpgsql.extra_errors = 'all';\n-- ' \\ quotes and backslashes \\\\ ''\nSELECT 1;\n",
      "2_b.sql":
        "SET session_replication_role = replica;\nSET default_transaction_read_only = on;\nSET default_transaction_deferrable = on;\nSELECT 1;\n",
    });
    await godwit.up();
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied"]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
    const [file] = await database.query<{ up_sql: string }>(
      "SELECT up_sql FROM godwit.migration_files WHERE up_sql LIKE '%quotes%'",
    );
    expect(file?.up_sql).toContain("-- ' \\ quotes and backslashes \\\\ ''");
    expect((await godwit.up()).total).toBe(0);
  });

  it("is not written in another encoding: a file that changes it is refused", async () => {
    for (const set of [
      "SET client_encoding = 'LATIN1'",
      "SET NAMES 'SQL_ASCII'",
      "SET LOCAL client_encoding TO latin1",
    ]) {
      const { godwit, database } = await testProject({ "1_a.sql": `SELECT 1;\n${set};\nSELECT 'ä';\n` });
      const error = await failureOf(godwit.up(), "MIGRATION_MALFORMED");
      expect(error.location).toMatchObject({ line: 2, column: 1 });
      expect(await hasHistory(database)).toBe(false);
    }
    const { godwit } = await testProject({
      "1_a.sql":
        "SET client_encoding = 'UTF8';\nSET client_encoding TO DEFAULT;\nRESET client_encoding;\nSET NAMES 'utf-8';\n",
    });
    await godwit.up();
  });

  it("is not misled by objects of the search path that bear names of PostgreSQL's own", async () => {
    const database = await testDatabase();
    await database.query(
      `CREATE SCHEMA evil;
       CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1970-01-01'::timestamptz $$;
       CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT 'x'::bytea $$;
       CREATE FUNCTION evil.text_ne(text, text) RETURNS bool LANGUAGE sql AS $$ SELECT true $$;
       CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.text_ne);
       ALTER DATABASE ${database.name} SET search_path = evil, public`,
    );
    const { godwit } = await testProject(
      {
        "1_a.sql": "CREATE TABLE public.a ();",
        "2_b.sql": "CREATE TABLE public.b ();",
        "3_c.sql": "CREATE TABLE public.c ();\nVACUUM public.c;",
      },
      { database },
    );
    expect((await godwit.up()).total).toBe(3);
    expect((await godwit.up()).total).toBe(0);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
    expect((await godwit.status()).targets[0]?.migrations[0]?.appliedAt).not.toContain("1970");
  });
});
