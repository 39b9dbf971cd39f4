import { describe, expect, it } from "vitest";
import { advisoryKey } from "../../../src/lock/key.ts";
import { Project, type RunningCli } from "../../e2e/cli-harness.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { createDatabase, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { historyOf, tablesOf } from "../../support/project.ts";
import { restartableServer } from "../../support/restartable-server.ts";
import { AT_GATE, nobodyLeft, PATIENT, shutGate, testClient } from "./gate.ts";

const KEY = advisoryKey({ schema: "godwit", stream: "default", targetSchema: "" });
const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

/** Strikes a command line and waits for its end, which must come soon. */
async function struck(cli: RunningCli, signal: "SIGINT" | "SIGTERM", exit: number): Promise<void> {
  const began = performance.now();
  cli.child.kill(signal);
  const finished = await cli.finished;
  expect([finished.exit, finished.signal], finished.stderr).toEqual([exit, null]);
  // What it waits for lasts a minute; a machine that is busy with other tests may take its time.
  expect(performance.now() - began).toBeLessThan(15_000);
}

async function expectNothingLeft(database: TestDatabase): Promise<void> {
  await nobodyLeft(database);
  expect(await database.query(`SELECT pg_try_advisory_lock(${KEY}) AS free`)).toEqual([{ free: true }]);
}

/** That the next run finishes, and everything was applied once. */
async function expectNextFinishes(
  project: Project,
  database: TestDatabase,
  ids: readonly string[],
): Promise<void> {
  const next = await project.run(["up"]);
  expect(next.exit, next.stderr).toBe(0);
  expect((await historyOf(database)).map(({ id, status }) => `${id} ${status}`)).toEqual(
    ids.map((id) => `${id} completed`),
  );
  expect(
    await database.query(
      "SELECT migration_id FROM godwit.migration_log WHERE event = 'migration.applied' GROUP BY 1 HAVING count(*) <> 1",
    ),
  ).toEqual([]);
  expect((await project.run(["verify"])).exit).toBe(0);
}

describe.each(SIGNALS)("%s", (signal, exit) => {
  it("while a lost server is waited for", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const project = new Project(
      {
        "migrations/1_first.sql": "CREATE TABLE first ();\n",
        "migrations/2_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`,
      },
      { DATABASE_URL: database.url },
    );
    const gate = await shutGate(database);
    const cli = project.start(["up", "--log", "json"]);
    await gate.reached();
    await server.stop("immediate");
    await cli.saw('"type":"connection.waiting"');
    await struck(cli, signal, exit);
    expect((await cli.finished).stderr).toContain('"type":"migration.failed"');
    await server.start();
    await expectNothingLeft(database);
    expect(await tablesOf(database)).toEqual(["first"]);
    await expectNextFinishes(project, database, ["1_first", "2_gate"]);
  });

  it("while another run has the lock", async () => {
    const database = await testDatabase();
    const project = new Project(
      { "migrations/1_a.sql": "CREATE TABLE a ();\n" },
      { DATABASE_URL: database.url },
    );
    const holder = await testClient(database.url);
    await holder.query(`SELECT pg_advisory_lock(${KEY})`);
    const cli = project.start(["up", "--log", "json"]);
    await cli.saw('"type":"lock.waiting"');
    await struck(cli, signal, exit);
    await nobodyLeft(database);
    expect(await tablesOf(database)).toEqual([]);
    await holder.query(`SELECT pg_advisory_unlock(${KEY})`);
    await expectNextFinishes(project, database, ["1_a"]);
  });

  it("during COMMIT, which a deferred constraint makes long", async () => {
    const database = await testDatabase();
    const project = new Project(
      {
        "migrations/1_slow.sql": `CREATE TABLE slow (id int);
CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap();
INSERT INTO slow VALUES (1);
`,
      },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up"]);
    await expect
      .poll(
        () =>
          database.query(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE 'SET CONSTRAINTS ALL IMMEDIATE%'",
          ),
        { timeout: 20_000 },
      )
      .toHaveLength(1);
    await struck(cli, signal, exit);
    await expectNothingLeft(database);
    expect(await tablesOf(database)).toEqual([]);
    project.write({ "migrations/1_slow.sql": "CREATE TABLE slow (id int);\n" });
    await expectNextFinishes(project, database, ["1_slow"]);
  });

  it("during COMMIT, which waits for a synchronous standby that is gone: it is done, and told as done", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const project = new Project(
      {
        "migrations/1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`,
        "migrations/2_next.sql": "CREATE TABLE next ();\n",
      },
      { DATABASE_URL: database.url },
    );
    const gate = await shutGate(database);
    const cli = project.start(["up", "--json"]);
    await gate.reached();
    await database.query("ALTER SYSTEM SET synchronous_standby_names = 'ghost'");
    await database.query("SELECT pg_reload_conf()");
    // A session that begins after the server has read it again sees it; those that are there are told right then.
    await expect
      .poll(() => database.query("SHOW synchronous_standby_names"))
      .toEqual([{ synchronous_standby_names: "ghost" }]);
    await gate.open();
    await expect
      .poll(() => database.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), {
        timeout: 20_000,
      })
      .toHaveLength(1);
    const began = performance.now();
    cli.child.kill(signal);
    const finished = await cli.finished;
    expect(performance.now() - began).toBeLessThan(25_000);
    expect(finished.exit).toBe(exit);
    expect(JSON.parse(finished.stdout)).toMatchObject({ data: { total: 1 } });
    await expectNothingLeft(database);
    expect(await tablesOf(database)).toEqual(["a"]);
    await database.query("ALTER SYSTEM RESET synchronous_standby_names");
    await database.query("SELECT pg_reload_conf()");
    await expectNextFinishes(project, database, ["1_gate", "2_next"]);
  });

  it("while the server does not answer any more, and cannot be asked to cancel", async () => {
    const database = await testDatabase();
    const proxy = await cuttingProxy(database.url, { matches: () => false, when: "before" });
    const project = new Project(
      { "migrations/1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n` },
      { DATABASE_URL: proxy.url },
    );
    const gate = await shutGate(database);
    const cli = project.start(["up"]);
    await gate.reached();
    proxy.freeze();
    const began = performance.now();
    cli.child.kill(signal);
    const finished = await cli.finished;
    expect([finished.exit, finished.signal], finished.stderr).toEqual([exit, null]);
    expect(performance.now() - began).toBeLessThan(30_000);
    proxy.cutAll();
    await expectNothingLeft(database);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("while a transaction waits for its next attempt at a lock", async () => {
    const database = await testDatabase();
    await database.query("CREATE TABLE busy ()");
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; SELECT FROM busy");
    const project = new Project(
      { "migrations/1_alter.sql": "-- godwit:lock_timeout 50ms\nALTER TABLE busy ADD COLUMN n int;\n" },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up", "--log", "json"]);
    await cli.saw('"type":"migration.retrying"');
    await struck(cli, signal, exit);
    await expectNothingLeft(database);
    await blocker.query("COMMIT");
    await expectNextFinishes(project, database, ["1_alter"]);
  });

  it("while a connection lost during COMMIT is sorted out, behind a lock that is not free", async () => {
    const database = await testDatabase();
    const proxy = await cuttingProxy(database.url, {
      matches: (sql) => sql.endsWith("COMMIT") && sql.includes("applied 1_a"),
      when: "after",
    });
    const project = new Project(
      { "migrations/1_a.sql": "CREATE TABLE a ();\n", "migrations/2_b.sql": "CREATE TABLE b ();\n" },
      { DATABASE_URL: proxy.url },
    );
    // Whoever wants the lock next gets it as soon as the lost session is gone.
    const next = await testClient(database.url);
    await database.query("SELECT 1");
    const cli = project.start(["up", "--log", "json"]);
    await expect
      .poll(() => database.query("SELECT to_regclass('a')::text AS a"), { timeout: 20_000, interval: 5 })
      .toEqual([{ a: "a" }]);
    await next.query(`SELECT pg_advisory_lock(${KEY})`);
    await Promise.race([cli.saw('"type":"lock.waiting"'), cli.finished]);
    if (cli.child.exitCode === null) await struck(cli, signal, exit);
    await next.query(`SELECT pg_advisory_unlock(${KEY})`);
    await nobodyLeft(database);
    await expectNextFinishes(project, database, ["1_a", "2_b"]);
  });
});

describe("a second SIGINT", () => {
  it("while a lost server is waited for ends the process at once, and the next run finishes", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const project = new Project(
      { "migrations/1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n` },
      { DATABASE_URL: database.url },
    );
    const gate = await shutGate(database);
    const cli = project.start(["up", "--log", "json"]);
    await gate.reached();
    await server.stop("immediate");
    await cli.saw('"type":"connection.waiting"');
    cli.child.kill("SIGINT");
    cli.child.kill("SIGINT");
    expect((await cli.finished).exit).toBe(130);
    await server.start();
    await expectNothingLeft(database);
    await expectNextFinishes(project, database, ["1_gate"]);
  });
});
