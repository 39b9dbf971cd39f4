import { describe, expect, it, onTestFinished } from "vitest";
import { launchServer } from "../../../src/postgres/embedded/launch.ts";
import { Project } from "../../e2e/cli-harness.ts";
import {
  createDatabase,
  createRole,
  startServer,
  testMajor,
  testDatabase,
  type TestDatabase,
} from "../../support/postgres.ts";
import { eventsOf, failureOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { AT_GATE, godwitSessions, nobodyLeft, PATIENT, shutGate } from "./gate.ts";

/** The session that holds the lock. */
async function workSession(database: TestDatabase): Promise<number> {
  const isHolder = ({ name }: { readonly name: string }): boolean => name.startsWith("godwit/");
  await expect
    .poll(async () => (await godwitSessions(database)).some(isHolder), { timeout: 10_000 })
    .toBe(true);
  return (await godwitSessions(database)).find(isHolder)!.pid;
}

async function terminate(database: TestDatabase, pid: number): Promise<void> {
  await database.query("SELECT pg_terminate_backend($1, 5000)", [pid]);
}

const NEXT = { "2_next.sql": "CREATE TABLE next ();\n", "3_last.sql": "CREATE TABLE last ();\n" };

describe("a work session that is terminated", () => {
  it("in the middle of a statement rolls back; the next up finishes", async () => {
    const { database, godwit } = await testProject({
      "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\nCREATE TABLE b ();\n`,
      ...NEXT,
    });
    const gate = await shutGate(database);
    const run = godwit.up({ reconnectWaitMs: 0 });
    await gate.reached();
    await terminate(database, await workSession(database));
    const error = await failureOf(run, "CONNECTION_LOST");
    expect(error).toMatchObject({ sqlstate: "57P01", result: { total: 0 } });
    expect(error.hint).toContain("run the same command again");
    expect(await tablesOf(database)).toEqual([]);
    await nobodyLeft(database);
    expect(await statesOf(godwit)).toEqual(["1_gate: pending", "2_next: pending", "3_last: pending"]);
    await gate.open();
    expect((await godwit.up()).total).toBe(3);
    await godwit.verify();
  });

  it.each([
    ["idle, in no transaction", "false", "idle"],
    ["idle, in a transaction", "true", "idle in transaction"],
  ])("while it is %s is noticed by the next statement", async (_, transaction, state) => {
    const { database, godwit, write } = await testProject({
      "1_first.sql": "CREATE TABLE first ();\n",
      "2_code.mjs": `import { setTimeout } from "node:timers/promises";
export const transaction = ${transaction};
export async function up(db) {
  await db.query("CREATE TABLE half ()");
  while (!globalThis.goOn) await setTimeout(20);
  await db.query("CREATE TABLE other_half ()");
}
`,
    });
    const world = globalThis as { goOn?: boolean };
    delete world.goOn;
    onTestFinished(() => void delete world.goOn);
    const run = godwit.up({ reconnectWaitMs: 0 });
    await expect
      .poll(async () => (await godwitSessions(database)).map((one) => `${one.query} ${one.state}`), {
        timeout: 10_000,
      })
      .toEqual([`CREATE TABLE half () ${state}`]);
    await terminate(database, await workSession(database));
    world.goOn = true;
    const error = await failureOf(run, "CONNECTION_LOST");
    expect(error.result).toMatchObject({ total: 1 });
    expect(await tablesOf(database)).toEqual(transaction === "true" ? ["first"] : ["first", "half"]);
    if (transaction === "false") {
      await failureOf(godwit.up(), "NEEDS_REPAIR");
      await godwit.repair({ action: "mark-applied", ids: ["2_code"], reason: "half is enough" });
    }
    await write(NEXT);
    await godwit.up();
    expect(await tablesOf(database)).toContain("last");
    await godwit.verify();
  });

  it("by idle_in_transaction_session_timeout is lost too, whatever SQLSTATE it says", async () => {
    const { database, godwit } = await testProject({
      "1_code.mjs": `import { setTimeout } from "node:timers/promises";
export async function up(db) {
  await db.query("SET LOCAL idle_in_transaction_session_timeout = 100");
  await db.query("CREATE TABLE half ()");
  await setTimeout(600);
  await db.query("CREATE TABLE other_half ()");
}
`,
    });
    const run = godwit.up();
    const error = await failureOf(run, "CONNECTION_LOST");
    expect(error.message).toMatch(/^1_code: .*3 times in a row/);
    expect(await eventsOf(run, "target.retrying")).toHaveLength(2);
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_code: pending"]);
    await godwit.verify();
  });

  it("is exit status 1 on the command line, which says what to do", async () => {
    const database = await testDatabase();
    const project = new Project(
      { "migrations/1_slow.sql": "CREATE TABLE half ();\nSELECT pg_sleep(60);\n" },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up", "--json", "--reconnect-wait", "0"]);
    await expect
      .poll(async () => (await godwitSessions(database)).map(({ query, state }) => `${query} ${state}`), {
        timeout: 10_000,
      })
      .toEqual(["SELECT pg_sleep(60) active"]);
    await terminate(database, await workSession(database));
    const { exit, stdout } = await cli.finished;
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: "CONNECTION_LOST", error: { sqlstate: "57P01" } });
    project.write({ "migrations/1_slow.sql": "CREATE TABLE half ();\n" });
    expect((await project.run(["up"])).exit).toBe(0);
  });
});

describe("a watch session that is terminated", () => {
  it("harms nothing: the run goes on, and looks again over another one", async () => {
    const { database, godwit } = await testProject({
      "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`,
      ...NEXT,
    });
    const gate = await shutGate(database);
    const run = godwit.up();
    const watcher = async (): Promise<number | undefined> =>
      (await godwitSessions(database)).find(({ name }) => name === "godwit watch")?.pid;
    await expect.poll(watcher, { timeout: 10_000 }).toBeDefined();
    const first = (await watcher())!;
    await terminate(database, first);
    await expect.poll(async () => ((await watcher()) ?? first) !== first, { timeout: 10_000 }).toBe(true);
    await gate.open();
    expect((await run).total).toBe(3);
    await nobodyLeft(database);
  });

  it("is done without where the role may have but one connection", async () => {
    const { database, open } = await testProject({ "1_slow.sql": "SELECT pg_sleep(2.5);\n" });
    const role = await createRole("CONNECTION LIMIT 1");
    await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`);
    const run = (await open({ database: role.urlFor(database.url) })).up();
    expect((await run).total).toBe(1);
    const sights = await eventsOf(run, "statement.progress");
    expect(sights.length).toBeGreaterThan(0);
    expect(sights[0]).toMatchObject({ phase: null, waitingFor: null });
    await nobodyLeft(database);
  });
});

describe("a server that goes away", () => {
  const SLOW = "CREATE TABLE half ();\nSELECT pg_sleep(60);\n";

  it("by an immediate shutdown: exit 1, and the next up finishes once it is back", async () => {
    const server = await startServer({ settings: { synchronous_commit: "on" } });
    onTestFinished(() => server.stop());
    const database = await createDatabase({ server: server.conninfo });
    const project = new Project(
      { "migrations/1_first.sql": "CREATE TABLE first ();\n", "migrations/2_slow.sql": SLOW },
      { DATABASE_URL: database.url },
    );
    const cli = project.start(["up", "--json", "--reconnect-wait", "0"]);
    await expect
      .poll(async () => (await godwitSessions(database)).map(({ query, state }) => `${query} ${state}`), {
        timeout: 10_000,
      })
      .toEqual(["SELECT pg_sleep(60) active"]);
    process.kill(server.pid, "SIGQUIT");
    const { exit, stdout } = await cli.finished;
    expect(exit, stdout).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: "CONNECTION_LOST", data: { total: 1 } });

    const gone = await project.run(["up"]);
    expect(gone.exit, gone.stderr).toBe(8);

    const again = await launchServer({
      major: testMajor(),
      dataDirectory: server.dataDirectory,
      port: server.port,
      password: server.parameters.password,
      env: process.env,
    });
    onTestFinished(() => again.stop());
    expect(again.port).toBe(server.port);
    project.write({ "migrations/2_slow.sql": "CREATE TABLE half ();\n" });
    const next = await project.run(["up"]);
    expect(next.exit, next.stderr).toBe(0);
    expect(await tablesOf(database)).toEqual(["first", "half"]);
    expect((await project.run(["verify"])).exit).toBe(0);
  });

  it("by the crash of another backend: the session says why it ended", async () => {
    const server = await startServer({ settings: { synchronous_commit: "on" } });
    onTestFinished(() => server.stop());
    const database = await createDatabase({ server: server.conninfo });
    const { godwit, write } = await testProject(
      { "1_first.sql": "CREATE TABLE first ();\n", "2_slow.sql": SLOW },
      { database },
    );
    const run = godwit.up({ reconnectWaitMs: 0 });
    await expect
      .poll(async () => (await godwitSessions(database)).map(({ query, state }) => `${query} ${state}`), {
        timeout: 10_000,
      })
      .toEqual(["SELECT pg_sleep(60) active"]);
    const [victim] = await database.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'",
    );
    process.kill(victim!.pid, "SIGKILL");
    await failureOf(run, "CONNECTION_LOST");
    await write({ "2_slow.sql": "CREATE TABLE half ();\n" });
    expect((await godwit.up({ connectWaitMs: 20_000 })).total).toBe(1);
    expect(await tablesOf(database)).toEqual(["first", "half"]);
    await godwit.verify();
  });
});
