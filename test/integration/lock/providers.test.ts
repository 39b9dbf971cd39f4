import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { failureOf, historyOf, tablesOf, testProject } from "../../support/project.ts";
import { testDatabase } from "../../support/postgres.ts";
import { haveRedis } from "../../support/redis.ts";
import { AT_GATE, godwitSessions, nobodyLeft, PATIENT, shutGate } from "../safety/gate.ts";
import { lockRow, Providers, told, type Provider } from "./world.ts";

const providers = new Providers();
afterAll(() => providers.stop());

const ALL: readonly Provider[] = haveRedis()
  ? ["advisory", "lease", "redis", "auto"]
  : ["advisory", "lease", "auto"];

/** Each shows how often it was applied; the last takes steps of its own. */
const FILES = {
  "1_counter.sql": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);\n",
  "2_count.sql": "CREATE TABLE a (id int);\nUPDATE counter SET n = n + 1;\n",
  "3_index.sql": "UPDATE counter SET n = n + 1;\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n",
};
const GATED = {
  "1_counter.sql": FILES["1_counter.sql"],
  "2_gate.sql": `${PATIENT}UPDATE counter SET n = n + 1;\nCREATE TABLE a (id int);\n${AT_GATE}\n`,
  "3_index.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\n",
};

// Tells of what is left out where no Redis can be had.
it.skipIf(!haveRedis())("every provider is among them", () => {
  expect(ALL).toContain("redis");
});

describe.each(ALL)("the lock by %s", (provider) => {
  it("lets one of many through: every migration once, and the lock is given back", async () => {
    const project = await testProject(FILES);
    const runs = await Promise.all(
      Array.from({ length: 12 }, async () => (await providers.open(project, provider)).up()),
    );
    const totals = runs.map(({ total }) => total);
    expect(totals.reduce((sum, total) => sum + total, 0)).toBe(3);
    expect(await project.database.query("SELECT n FROM counter")).toEqual([{ n: 2 }]);
    expect((await historyOf(project.database)).map(({ applied_seq }) => applied_seq)).toEqual([
      "1",
      "2",
      "3",
    ]);
    const { given_back, backend_pid } = await lockRow(project.database);
    expect({ given_back, backend_pid }).toEqual({ given_back: true, backend_pid: null });
    await nobodyLeft(project.database);
  });

  it("is waited for without transaction and snapshot, and told who holds it and how far that one is", async () => {
    const project = await testProject(GATED);
    const gate = await shutGate(project.database);
    const holder = (await providers.open(project, provider)).up();
    await gate.reached();
    const waiters = await Promise.all(
      Array.from({ length: 5 }, async () => ({ run: (await providers.open(project, provider)).up() })),
    );
    for (const { run } of waiters) {
      const waiting = await told(run, "lock.waiting");
      expect(waiting.holder).toMatch(/^(backend \d+|run [0-9a-f-]+) on \S+/);
      expect(waiting.pending).toBe(2);
    }
    for (let look = 0; look < 10; look++) {
      const seen = (await godwitSessions(project.database)).filter(({ name }) => name === "godwit");
      expect(seen.filter(({ waits }) => waits === "Lock")).toEqual([]);
      expect(seen.filter((one) => one.state === "idle" && (one.inTransaction || one.hasSnapshot))).toEqual(
        [],
      );
      expect(seen.filter(({ state }) => state.startsWith("idle in"))).toEqual([]);
      await delay(20);
    }
    await gate.open();
    expect((await holder).total).toBe(3);
    for (const { run } of waiters) expect((await run).total).toBe(0);
  });

  it("is not had within the time given: LOCK_BUSY, and had when the holder is done", async () => {
    const project = await testProject(GATED);
    const gate = await shutGate(project.database);
    const holder = (await providers.open(project, provider)).up();
    await gate.reached();
    const other = await providers.open(project, provider);
    const error = await failureOf(other.up({ lockWaitMs: 300 }), "LOCK_BUSY");
    expect(error.message).toMatch(/ has held the lock of "default" for \d+ s/);
    await failureOf(other.up({ lockWaitMs: 0 }), "LOCK_BUSY");
    await gate.open();
    await holder;
    await project.write({ "4_b.sql": "CREATE TABLE b (id int);\n" });
    expect((await other.up({ lockWaitMs: 0 })).total).toBe(1);
  });

  it("is given back by a run that fails, and taken by none that has nothing to do", async () => {
    const project = await testProject({ ...FILES, "4_bad.sql": "CREATE TABLE a (id int);\n" });
    const godwit = await providers.open(project, provider);
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await lockRow(project.database)).toMatchObject({ given_back: true, token: 1 });
    await project.remove("4_bad.sql");
    expect((await godwit.up({ lockWaitMs: 0 })).total).toBe(0);
    expect(await lockRow(project.database)).toMatchObject({ token: 1 });
  });

  it("passes on at once when its holder is killed, and what that one left running is ended first", async () => {
    const database = await testDatabase();
    const cli = await providers.commandLine(GATED, database, provider);
    const gate = await shutGate(database);
    const holder = cli.start(["up"]);
    await gate.reached();
    holder.child.kill("SIGKILL");
    await holder.finished;
    const next = cli.start(["up"]);
    await gate.open();
    const { exit, stderr } = await next.finished;
    expect(exit, stderr).toBe(0);
    expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 1 }]);
    expect(await tablesOf(database)).toEqual(["a", "counter"]);
    await nobodyLeft(database);
  });
});

describe.each(ALL.filter((one) => one !== "advisory" && one !== "auto"))("a lease by %s", (provider) => {
  it("that its holder slept over is taken by the next; woken, it commits nothing, says so and goes on behind the other", async () => {
    const database = await testDatabase();
    const cli = await providers.commandLine(GATED, database, provider);
    const gate = await shutGate(database);
    const sleeper = cli.start(["up"]);
    await gate.reached();
    sleeper.child.kill("SIGSTOP");
    const next = cli.start(["up", "--lock-wait", "40s"]);
    await expect.poll(async () => (await lockRow(database)).token, { timeout: 30_000 }).toBe(2);
    await gate.reached();
    sleeper.child.kill("SIGCONT");
    await sleeper.saw("going on by itself");
    await gate.open();
    const { exit, stderr } = await next.finished;
    expect(exit, stderr).toBe(0);
    const slept = await sleeper.finished;
    expect(slept.exit, slept.stderr).toBe(0);
    expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 1 }]);
    const applied = await database.query<{ token: string }>(
      "SELECT DISTINCT token FROM godwit.migrations WHERE id <> '1_counter'",
    );
    expect(applied).toEqual([{ token: "2" }]);
    await nobodyLeft(database);
  });

  it("is renewed for as long as the work takes", async () => {
    const project = await testProject(GATED);
    const gate = await shutGate(project.database);
    const holder = (await providers.open(project, provider)).up();
    await gate.reached();
    const other = await providers.open(project, provider);
    await failureOf(other.up({ lockWaitMs: 7000 }), "LOCK_BUSY");
    await gate.open();
    expect((await holder).total).toBe(3);
  });

  it("that stands in a copy of the database, or ends later than any can, holds nothing", async () => {
    const project = await testProject(FILES);
    const godwit = await providers.open(project, provider);
    await godwit.up();
    const { database } = project;
    const hold = (values: string): Promise<unknown> =>
      database.query(
        `UPDATE godwit.migration_locks SET provider = '${provider}', lease_ms = 3000, ${values}`,
      );
    const here = "(SELECT oid FROM pg_database WHERE datname = current_database())";
    await project.write({ "4_b.sql": "CREATE TABLE b (id int);\n" });
    await hold(`expires_at = clock_timestamp() + interval '3 s', database_oid = ${here}`);
    await failureOf(godwit.up({ lockWaitMs: 0 }), "LOCK_BUSY");
    await hold("expires_at = clock_timestamp() + interval '3 s', database_oid = 1");
    expect((await godwit.up({ lockWaitMs: 0 })).total).toBe(1);
    await project.write({ "5_c.sql": "CREATE TABLE c (id int);\n" });
    await hold(`expires_at = clock_timestamp() + interval '1 day', database_oid = ${here}`);
    expect((await godwit.up({ lockWaitMs: 0 })).total).toBe(1);
    await project.write({ "6_d.sql": "CREATE TABLE d (id int);\n" });
    await hold(
      `expires_at = clock_timestamp() + interval '3 s', database_oid = ${here}, backend_pid = 1, backend_start = now()`,
    );
    expect((await godwit.up({ lockWaitMs: 0 })).total).toBe(1);
  });
});

describe("providers that meet", () => {
  it("exclude each other: runs of all kinds at once apply everything once", async () => {
    const project = await testProject(FILES);
    const kinds = Array.from({ length: 12 }, (_, index) => ALL[index % ALL.length]!);
    const runs = await Promise.all(
      kinds.map(async (provider) => (await providers.open(project, provider)).up()),
    );
    expect(runs.map(({ total }) => total).reduce((sum, total) => sum + total, 0)).toBe(3);
    expect(await project.database.query("SELECT n FROM counter")).toEqual([{ n: 2 }]);
  });

  it.each([
    ["advisory", "lease"],
    ["lease", "advisory"],
  ] as const)("a holder by %s keeps out one by %s", async (first, second) => {
    const project = await testProject(GATED);
    const gate = await shutGate(project.database);
    const holder = (await providers.open(project, first)).up();
    await gate.reached();
    const other = await providers.open(project, second);
    await failureOf(other.up({ lockWaitMs: 500 }), "LOCK_BUSY");
    await gate.open();
    expect((await holder).total).toBe(3);
  });
});
