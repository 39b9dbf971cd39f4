import { describe, expect, it } from "vitest";
import { holderPrefix } from "../../../src/lock/key.ts";
import { Project, type RunningCli } from "../../e2e/cli-harness.ts";
import { createRole, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { failureOf, historyOf, tablesOf, testProject } from "../../support/project.ts";
import { nobodyLeft, testClient } from "./gate.ts";

const SCOPE = { schema: "godwit", stream: "default", targetSchema: "" };

/** Waits until Godwit's session is in the middle of a statement. */
async function running(database: TestDatabase, like: string): Promise<number> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
    AND pid <> pg_backend_pid() AND query LIKE $1`;
  await expect.poll(() => database.query(sql, [like]), { timeout: 20_000 }).toHaveLength(1);
  return (await database.query<{ pid: number }>(sql, [like]))[0]!.pid;
}

/** Ends a command line as a crash of its machine's kernel or the out-of-memory killer does. */
async function killed(cli: RunningCli): Promise<void> {
  cli.child.kill("SIGKILL");
  expect((await cli.finished).signal).toBe("SIGKILL");
}

async function isThere(database: TestDatabase, pid: number): Promise<boolean> {
  return (await database.query("SELECT FROM pg_stat_activity WHERE pid = $1", [pid])).length > 0;
}

interface Index {
  oid: number;
  valid: boolean;
}
async function indexes(database: TestDatabase, table: string): Promise<Index[]> {
  return database.query(
    "SELECT indexrelid::int AS oid, indisvalid AS valid FROM pg_index WHERE indrelid = to_regclass($1)",
    [table],
  );
}

describe("a client that was killed in the middle of a statement", () => {
  it("leaves a session that the next up waits for; then it goes on, and nothing is applied twice", async () => {
    const database = await testDatabase();
    const slow = (sleep: string): string => `CREATE TABLE half ();\n${sleep}CREATE TABLE other_half ();\n`;
    const project = new Project(
      {
        "migrations/1_first.sql": "CREATE TABLE first ();\n",
        "migrations/2_slow.sql": slow("SELECT pg_sleep(60);\n"),
      },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up"]);
    const pid = await running(database, "%pg_sleep(60)%");
    await killed(cli);
    expect(await isThere(database, pid)).toBe(true);
    project.write({ "migrations/2_slow.sql": slow("") });
    const next = await project.run(["up"]);
    expect(next.exit, next.stderr).toBe(0);
    expect(next.durationMs).toBeLessThan(15_000);
    expect(await isThere(database, pid)).toBe(false);
    expect(await tablesOf(database)).toEqual(["first", "half", "other_half"]);
    expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_first", "2_slow"]);
    expect((await project.run(["verify"])).exit).toBe(0);
  });
});

describe("a client that was killed while an index was built", () => {
  const FILES = {
    "migrations/1_table.sql": "CREATE TABLE a (id int);\n",
    "migrations/2_index.sql":
      "CREATE TABLE before_it ();\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE TABLE after_it ();\n",
  };

  /** Stops in the middle of CREATE INDEX CONCURRENTLY, which waits for a transaction of the test. */
  async function killedWhileBuilding(): Promise<{
    database: TestDatabase;
    project: Project;
    finish: () => Promise<unknown>;
    pid: number;
  }> {
    const database = await testDatabase();
    const project = new Project(FILES, { DATABASE_URL: database.url });
    expect((await project.run(["up", "--step", "1"])).exit).toBe(0);
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; INSERT INTO a VALUES (1)");
    const cli = project.start(["up"]);
    await expect.poll(() => indexes(database, "a"), { timeout: 20_000 }).toMatchObject([{ valid: false }]);
    const pid = await running(database, "CREATE INDEX CONCURRENTLY%");
    await killed(cli);
    return { database, project, pid, finish: () => blocker.query("COMMIT") };
  }

  async function expectAllDone(database: TestDatabase, project: Project): Promise<Index> {
    const found = await indexes(database, "a");
    expect(found).toMatchObject([{ valid: true }]);
    expect(await tablesOf(database)).toEqual(["a", "after_it", "before_it"]);
    expect(await database.query("SELECT * FROM godwit.migration_steps")).toEqual([]);
    expect((await historyOf(database)).map(({ id, status }) => `${id} ${status}`)).toEqual([
      "1_table completed",
      "2_index completed",
    ]);
    expect((await project.run(["verify"])).exit).toBe(0);
    return found[0]!;
  }

  it("leaves an INVALID one, which is dropped and built again", async () => {
    const { database, project, pid, finish } = await killedWhileBuilding();
    await expect.poll(() => isThere(database, pid), { timeout: 15_000 }).toBe(false);
    const [left] = await indexes(database, "a");
    expect(left?.valid).toBe(false);
    const next = project.start(["up", "--log", "json"]);
    await running(database, "DROP INDEX CONCURRENTLY%");
    await finish();
    expect((await next.finished).exit).toBe(0);
    expect((await expectAllDone(database, project)).oid).not.toBe(left?.oid);
  });

  it("is waited for, even if the next up comes at once", async () => {
    const { database, project, finish } = await killedWhileBuilding();
    const next = project.start(["up"]);
    await running(database, "DROP INDEX CONCURRENTLY%");
    await finish();
    const { exit, stderr } = await next.finished;
    expect(exit, stderr).toBe(0);
    await expectAllDone(database, project);
  });

  it("leaves one that the server finished all the same: recorded as done, not built again", async () => {
    const { database, project, finish } = await killedWhileBuilding();
    await finish();
    await expect.poll(() => indexes(database, "a")).toMatchObject([{ valid: true }]);
    const [finished] = await indexes(database, "a");
    expect(await database.query("SELECT state FROM godwit.migration_steps WHERE ordinal = 2")).toEqual([
      { state: "intended" },
    ]);
    const { exit, stderr } = await project.run(["up", "--log", "json"]);
    expect(exit).toBe(0);
    const events = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; ordinal: number; reason: string });
    expect(events.filter(({ type }) => type === "statement.skipped")).toMatchObject([
      { ordinal: 1, reason: "done by an earlier run" },
      { ordinal: 2, reason: expect.stringContaining("valid") },
    ]);
    expect((await expectAllDone(database, project)).oid).toBe(finished?.oid);
  });
});

describe("an index of the same name that was there before", () => {
  it("is not taken for the one that failed because of it", async () => {
    const { godwit, database } = await testProject({
      "1_index.sql": "CREATE TABLE t (id int, name text);\nCREATE INDEX CONCURRENTLY a_id ON t (id);\n",
    });
    await database.query("CREATE TABLE other (n int); CREATE INDEX a_id ON other (n)");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await indexes(database, "t")).toEqual([]);
    await database.query("DROP INDEX a_id");
    expect((await godwit.up()).total).toBe(1);
    expect(await indexes(database, "t")).toMatchObject([{ valid: true }]);
  });
});

describe("what nobody but a person can decide", () => {
  const CALL = "-- godwit:transaction off\nCALL slow();\n";

  async function killedInCall(): Promise<{ database: TestDatabase; project: Project }> {
    const database = await testDatabase();
    await database.query(`CREATE TABLE done (n int);
      CREATE PROCEDURE slow() LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO done VALUES (1); COMMIT;
        IF (SELECT count(*) FROM done) = 1 THEN PERFORM pg_sleep(60); END IF;
      END $$`);
    const project = new Project(
      { "migrations/1_call.sql": CALL, "migrations/2_next.sql": "CREATE TABLE next ();\n" },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up"]);
    await running(database, "CALL slow()%");
    await expect.poll(() => database.query("SELECT n FROM done")).toEqual([{ n: 1 }]);
    await killed(cli);
    return { database, project };
  }

  it("is asked for, with both choices; one takes it as done", async () => {
    const { database, project } = await killedInCall();
    const refused = await project.run(["up"]);
    expect(refused.exit).toBe(9);
    expect(refused.stderr).toContain("1_call");
    expect(refused.stderr).toContain("godwit repair mark-applied 1_call");
    expect(refused.stderr).toContain("godwit repair mark-not-applied 1_call");
    expect((await project.run(["up"])).exit).toBe(9);
    expect((await project.run(["status", "--exit-code"])).exit).toBe(9);
    expect(await tablesOf(database)).toEqual(["done"]);

    const explained = await project.run(["repair"]);
    expect(explained.stdout).toContain("1_call");
    expect(explained.stdout).toContain("mark-applied 1_call");
    expect(explained.stdout).toContain("mark-not-applied 1_call");

    expect((await project.run(["repair", "mark-applied", "1_call", "--reason", "it was done"])).exit).toBe(0);
    expect((await project.run(["up"])).exit).toBe(0);
    expect(await tablesOf(database)).toEqual(["done", "next"]);
    expect(await database.query("SELECT n FROM done")).toEqual([{ n: 1 }]);
    expect((await project.run(["verify"])).exit).toBe(0);
  });

  it("is run again where it is declared not to be done", async () => {
    const { database, project } = await killedInCall();
    expect((await project.run(["up"])).exit).toBe(9);
    expect((await project.run(["repair", "mark-not-applied", "1_call", "--reason", "it was not"])).exit).toBe(
      0,
    );
    expect((await project.run(["up"])).exit).toBe(0);
    expect(await tablesOf(database)).toEqual(["done", "next"]);
    expect(await database.query("SELECT n FROM done")).toEqual([{ n: 1 }, { n: 1 }]);
    expect((await project.run(["status", "--exit-code"])).exit).toBe(0);
    expect((await project.run(["verify"])).exit).toBe(0);
  });
});

describe("a session of an earlier holder that does not end", () => {
  it("is found by its name and terminated, and the log says so", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    const left = await testClient(database.url);
    await left.query(`SET application_name = '${holderPrefix(SCOPE)}1/x'`);
    const { rows } = await left.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    expect((await godwit.up()).total).toBe(1);
    await expect(left.query("SELECT 1")).rejects.toThrow();
    expect(
      await database.query(
        "SELECT details->'terminated_backends' AS pids FROM godwit.migration_log WHERE event = 'lock.acquired'",
      ),
    ).toEqual([{ pids: [rows[0]!.pid] }]);
  });

  it("is found though its file took its name, its limits and its lock away", async () => {
    const database = await testDatabase();
    const escape = (sleep: string): string =>
      `-- godwit:transaction off\nSET application_name = 'x';\nSET client_connection_check_interval = 0;\nSELECT pg_advisory_unlock_all();\nCREATE TABLE a ();\n${sleep}`;
    const project = new Project(
      { "migrations/1_escape.sql": escape("SELECT pg_sleep(300);\n") },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up"]);
    const pid = await running(database, "%pg_sleep(300)%");
    await killed(cli);
    project.write({ "migrations/1_escape.sql": escape("CREATE TABLE b ();\n") });
    const next = await project.run(["up"]);
    expect(next.exit, next.stderr).toBe(0);
    expect(await isThere(database, pid)).toBe(false);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
    expect((await project.run(["verify"])).exit).toBe(0);
  });

  it("ends a live run that gave its own lock away, before another one goes on", async () => {
    const { godwit, open, database } = await testProject({
      "1_away.mjs": `export const transaction = false;
export async function up(db) {
  await db.query("CREATE TABLE away ()");
  await db.query("DISCARD ALL");
  await db.query("SELECT pg_sleep(60)");
  await db.query("CREATE TABLE too_late ()");
}
`,
    });
    const first = godwit.up({ reconnectWaitMs: 0 });
    await running(database, "SELECT pg_sleep(60)%");
    const error = await failureOf((await open()).up(), "NEEDS_REPAIR");
    expect(error.hint).toContain("repair mark-applied 1_away");
    await failureOf(first, "CONNECTION_LOST");
    expect(await tablesOf(database)).toEqual(["away"]);
    await godwit.verify();
    await nobodyLeft(database);
  });

  it("is named where this role may not end it", async () => {
    const { open, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    const role = await createRole();
    await database.query(`GRANT ALL ON SCHEMA public TO ${role.name}; GRANT pg_read_all_stats TO ${role.name};
      CREATE SCHEMA godwit AUTHORIZATION ${role.name}`);
    const left = await testClient(database.url);
    await left.query(`SET application_name = '${holderPrefix(SCOPE)}1/x'`);
    const { rows } = await left.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const error = await failureOf((await open({ database: role.urlFor(database.url) })).up(), "NEEDS_REPAIR");
    expect(error.hint).toContain(`pg_terminate_backend(${rows[0]!.pid})`);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("is not mistaken for one that took its process id over", async () => {
    const { godwit, database, write } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    const innocent = await testClient(database.url);
    const { rows } = await innocent.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    await database.query("UPDATE godwit.migration_locks SET backend_pid = $1, expires_at = NULL", [
      rows[0]!.pid,
    ]);
    await write({ "2_b.sql": "CREATE TABLE b ();\n" });
    expect((await godwit.up()).total).toBe(1);
    await innocent.query("SELECT 1");
  });
});
