import { describe, expect, it } from "vitest";
import type { TestDatabase } from "../../support/postgres.ts";
import { eventsOf, failureOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { godwitSessions, testClient } from "./gate.ts";

const NAMES = [
  "application_name",
  "client_connection_check_interval",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "tcp_keepalives_idle",
  "tcp_keepalives_interval",
  "tcp_keepalives_count",
  "tcp_user_timeout",
  "lock_timeout",
  "statement_timeout",
  "standard_conforming_strings",
  "search_path",
  "session_replication_role",
  "TimeZone",
] as const;

/** Notes what the session is set to, and who it is. */
const note = (at: string): string =>
  `INSERT INTO public.seen SELECT '${at}', name, setting FROM pg_catalog.pg_settings WHERE name IN (${NAMES.map((name) => `'${name}'`).join(", ")})
   UNION ALL SELECT '${at}', 'role', current_user || ' ' || session_user;\n`;

type Noted = Record<(typeof NAMES)[number] | "role", string>;

async function noted(database: TestDatabase): Promise<Map<string, Noted>> {
  const rows = await database.query<{ at: string; settings: Noted }>(
    "SELECT at, json_object_agg(name, value) AS settings FROM seen GROUP BY at",
  );
  return new Map(rows.map(({ at, settings }) => [at, settings]));
}

const SEEN = { "0_seen.sql": "CREATE TABLE seen (at text, name text, value text);\n" };

/** What a file may do to its session. */
const UNRULY = `SET application_name = 'importer';
SET client_connection_check_interval = 0;
SET idle_in_transaction_session_timeout = 0;
SET idle_session_timeout = 0;
SET tcp_keepalives_idle = 999;
SET tcp_keepalives_count = 9;
SET tcp_user_timeout = 0;
SET lock_timeout = '1h';
SET statement_timeout = '2h';
SET search_path = nowhere;
SET session_replication_role = replica;
SET TimeZone = 'Pacific/Chatham';
SET default_transaction_isolation = 'serializable';
SET ROLE pg_monitor;
`;

describe("the settings of a work session", () => {
  it("are a holder's name with token and run, and the limits that end what nobody waits for", async () => {
    const { database, godwit } = await testProject({ ...SEEN, "1_note.sql": note("1") });
    const result = await godwit.up();
    const [lock] = await database.query<{ token: string; owner: string }>(
      "SELECT token, owner FROM godwit.migration_locks",
    );
    const settings = (await noted(database)).get("1");
    expect(settings).toMatchObject({
      client_connection_check_interval: "2000",
      idle_in_transaction_session_timeout: "600000",
      idle_session_timeout: "600000",
      tcp_keepalives_idle: "20",
      tcp_keepalives_interval: "10",
      tcp_keepalives_count: "3",
      tcp_user_timeout: "50000",
      lock_timeout: "500",
      statement_timeout: "0",
      standard_conforming_strings: "on",
    });
    expect(settings?.application_name).toMatch(/^godwit\/[0-9a-f]{8}\/\d+\/[0-9a-f]{32}$/);
    const [, , token, run] = settings!.application_name.split("/");
    expect(token).toBe(lock?.token);
    expect(run).toBe(result.runId.replaceAll("-", ""));
    expect(lock?.owner).toBe(result.runId);
  });

  it.each([
    ["sets everything", UNRULY],
    ["resets everything", "RESET ALL;\n"],
    ["resets everything, then sets it", `RESET ALL;\n${UNRULY}`],
  ])("are there again after a file that %s, whole or in steps", async (_, sql) => {
    const { database, godwit } = await testProject({
      ...SEEN,
      "1_before.sql": note("before"),
      "2_whole.sql": sql,
      "3_after.sql": note("after whole"),
      "4_steps.sql": `-- godwit:transaction off\n${sql}RESET ROLE;\nVACUUM pg_catalog.pg_am;\n${sql}`,
      "5_after.sql": note("after steps"),
      "6_steps.sql": `${sql}RESET ROLE;\nCREATE TABLE public.t (id int);\nCREATE INDEX CONCURRENTLY i ON public.t (id);\n`,
      "7_after.mjs": `export async function up(db) { await db.query(${JSON.stringify(note("after concurrently"))}); }\n`,
    });
    await godwit.up();
    const settings = await noted(database);
    const before = settings.get("before");
    expect(before).toMatchObject({ lock_timeout: "500", session_replication_role: "origin" });
    for (const at of ["after whole", "after steps", "after concurrently"])
      expect(settings.get(at), at).toEqual(before);
  });

  it("are there again in the second attempt at a migration that was sent ahead", async () => {
    const { database, godwit } = await testProject({
      ...SEEN,
      "1_busy.sql": "CREATE TABLE busy (id int);\n",
      "2_before.sql": note("before"),
      "3_unruly.sql": `CREATE TEMPORARY TABLE leaked ();\n${UNRULY.replace("SET ROLE pg_monitor;\n", "")}SET lock_timeout = '400ms';\n`,
      "4_retried.sql": `ALTER TABLE public.busy ADD COLUMN n int;\n${note("after")}`,
    });
    await godwit.up({ steps: 3 });
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; SELECT FROM busy");
    const run = godwit.up();
    for await (const event of run) {
      if (event.type === "migration.retrying") await blocker.query("COMMIT");
    }
    expect((await run).total).toBe(2);
    const settings = await noted(database);
    const { application_name: name, ...after } = settings.get("after")!;
    expect(settings.get("before")).toMatchObject(after);
    expect(name).toMatch(/^godwit\//);
  });

  it("stay for the rest of a file that resets everything, the directives of the file too", async () => {
    const { database, godwit } = await testProject({
      ...SEEN,
      "1_whole.sql": `SET TimeZone = 'Pacific/Chatham';\nRESET ALL;\n${note("whole")}`,
      "2_file.sql": `-- godwit:lock_timeout 3s\n-- godwit:statement_timeout 4min\nSET lock_timeout = 0;\nRESET ALL;\n${note("file")}`,
      "3_steps.sql": `-- godwit:transaction off\n-- godwit:lock_timeout 5s\nRESET /* of it */ ROLE;\nRESET ALL;\n${note("steps")}`,
    });
    await godwit.up();
    const settings = await noted(database);
    const always = {
      application_name: expect.stringMatching(/^godwit\//),
      client_connection_check_interval: "2000",
    };
    expect(settings.get("whole")).toMatchObject({
      ...always,
      lock_timeout: "500",
      TimeZone: expect.not.stringContaining("Chatham"),
    });
    expect(settings.get("file")).toMatchObject({
      ...always,
      lock_timeout: "3000",
      statement_timeout: "240000",
    });
    expect(settings.get("steps")).toMatchObject({ ...always, lock_timeout: "5000" });
  });

  it("give code outside of any transaction time for itself, and take it back behind it", async () => {
    const { database, godwit } = await testProject({
      ...SEEN,
      "1_code.mjs": `export const transaction = false;
export async function up(db) { await db.query(${JSON.stringify(note("code"))}); }
`,
      "2_whole.mjs": `export async function up(db) { await db.query(${JSON.stringify(note("whole"))}); }\n`,
    });
    await godwit.up();
    const settings = await noted(database);
    expect(settings.get("code")).toMatchObject({
      idle_session_timeout: "3600000",
      idle_in_transaction_session_timeout: "600000",
    });
    expect(settings.get("whole")).toMatchObject({ idle_session_timeout: "600000" });
  });

  it("are off the session when it is given up, so that nobody takes it for a holder's", async () => {
    const { database, godwit } = await testProject({ ...SEEN, "1_note.sql": note("1") });
    const run = godwit.up();
    for await (const event of run) {
      if (event.type !== "target.finished") continue;
      const names = (await godwitSessions(database)).map(({ name }) => name);
      expect(names.filter((name) => name.startsWith("godwit/"))).toEqual([]);
    }
    await run;
  });
});

describe("lock_timeout", () => {
  const told =
    "CREATE FUNCTION told(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'lock_timeout %', current_setting('lock_timeout'); RETURN n; END $$;\n";

  it("is 500 ms, none while an index is built CONCURRENTLY, and 500 ms again for the rest of the file", async () => {
    const { database, godwit } = await testProject({
      ...SEEN,
      "1_told.sql": `${told}CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\n`,
      "2_index.sql": `${note("first step")}CREATE INDEX CONCURRENTLY i ON t (told(id));\n${note("after it")}REINDEX INDEX CONCURRENTLY i;\n${note("at the end")}`,
    });
    const run = godwit.up();
    await run;
    const notices = (await eventsOf(run, "notice")).map(({ message }) => message);
    expect(new Set(notices)).toEqual(new Set(["lock_timeout 0"]));
    const settings = await noted(database);
    for (const at of ["first step", "after it", "at the end"])
      expect(settings.get(at)?.lock_timeout, at).toBe("500");
  });

  it("is what the run or the file says, and none all the same while an index is built", async () => {
    const { database, open } = await testProject({
      ...SEEN,
      "1_told.sql": `${told}CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\n`,
      "2_run.sql": note("run"),
      "3_file.sql": `-- godwit:lock_timeout 3s\n${note("file")}`,
      "4_steps.sql": `-- godwit:lock_timeout 4s\nCREATE INDEX CONCURRENTLY i ON t (told(id));\n${note("steps")}`,
      "5_run.sql": note("run again"),
    });
    const run = (await open({ lockTimeoutMs: 1234 })).up();
    await run;
    expect(new Set((await eventsOf(run, "notice")).map(({ message }) => message))).toEqual(
      new Set(["lock_timeout 0"]),
    );
    const settings = await noted(database);
    const seen = ["run", "file", "steps", "run again"].map((at) => settings.get(at)?.lock_timeout);
    expect(seen).toEqual(["1234", "3000", "4000", "1234"]);
  });
});

describe("what a file sets for itself", () => {
  it("lasts to its end, through every step, and is there again when it is resumed", async () => {
    const { database, godwit } = await testProject({
      ...SEEN,
      "1_steps.sql": `CREATE SCHEMA app;
SET search_path = app;
SET lock_timeout = '700ms';
SET statement_timeout = '9min';
CREATE TABLE t (id int);
CREATE INDEX CONCURRENTLY i ON t (id);
${note("second")}CREATE INDEX CONCURRENTLY j ON t (id);
SELECT 1 / (SELECT count(*) FROM public.go);
${note("resumed")}`,
    });
    await database.query("CREATE TABLE go (id int)");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await statesOf(godwit)).toEqual(["0_seen: applied", "1_steps: half_applied"]);
    await database.query("INSERT INTO go VALUES (1)");
    await godwit.up();
    const settings = await noted(database);
    for (const at of ["second", "resumed"]) {
      expect(settings.get(at), at).toMatchObject({
        lock_timeout: "700",
        statement_timeout: "540000",
        search_path: "app",
      });
    }
    expect(
      await database.query("SELECT count(*)::int AS n FROM pg_indexes WHERE schemaname = 'app'"),
    ).toEqual([{ n: 2 }]);
  });

  it("may be how its transaction is isolated, wherever it stands among others", async () => {
    const isolation =
      "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE level AS SELECT current_setting('transaction_isolation') AS level;\n";
    const { database, godwit } = await testProject({
      "1_a.sql": "CREATE TABLE a ();\n",
      "2_level.sql": isolation,
    });
    const run = godwit.up();
    await run;
    expect(await database.query("SELECT level FROM level")).toEqual([{ level: "serializable" }]);
    expect((await eventsOf(run, "statement.started")).filter(({ standalone }) => standalone)).toEqual([]);
  });

  it("is refused where it comes too late, not dropped in silence", async () => {
    const { database, godwit } = await testProject({
      "1_late.sql": "CREATE TABLE a AS SELECT 1 AS one;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.location?.line).toBe(2);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("holds for what it defers to the end of its transaction", async () => {
    const { database, godwit } = await testProject({
      "1_deferred.sql": `CREATE SCHEMA app;
SET search_path = app;
CREATE TABLE t (id int);
CREATE TABLE counted (n int);
CREATE FUNCTION count_them() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO counted SELECT count(*) FROM t; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER counts AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_them();
INSERT INTO t VALUES (1);
INSERT INTO t VALUES (2);
`,
    });
    await godwit.up();
    expect(await database.query("SELECT n::int FROM app.counted")).toEqual([{ n: 2 }, { n: 2 }]);
  });

  it("is rolled back with the history where a deferred constraint says no", async () => {
    const { database, godwit } = await testProject({
      "1_fk.sql":
        "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (1);\n",
      "2_next.sql": "CREATE TABLE next ();\n",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "23503" });
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_fk: failed", "2_next: pending"]);
  });
});
