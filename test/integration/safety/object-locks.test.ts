import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runRecord } from "../../../src/fleet/run-record.ts";
import { up } from "../../../src/fleet/up.ts";
import type { GodwitEvent } from "../../../src/index.ts";
import { Project } from "../../e2e/cli-harness.ts";
import { startServer, createDatabase, testDatabase } from "../../support/postgres.ts";
import { eventsOf, failureOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { AT_GATE, nobodyLeft, shutGate, testClient } from "./gate.ts";

const FILES = {
  "1_busy.sql": "CREATE TABLE busy (id int);\n",
  "2_alter.sql": "CREATE TABLE with_it ();\nALTER TABLE busy ADD COLUMN n int;\n",
  "3_next.sql": "CREATE TABLE next ();\n",
};

/** Reads a table and stays in the transaction, for longer than what is taken for short already. */
async function hold(client: Awaited<ReturnType<typeof testClient>>, table: string): Promise<void> {
  await client.query(`BEGIN; SELECT FROM ${table}`);
  await delay(200);
}

async function pidOf(client: Awaited<ReturnType<typeof testClient>>): Promise<number> {
  return (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]!.pid;
}

describe("a lock on an object that another transaction holds", () => {
  it("is tried for again and again, naming who is in the way, until it is free", async () => {
    const { database, godwit } = await testProject(FILES);
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    const pid = await pidOf(blocker);
    await hold(blocker, "busy");
    const run = godwit.up();
    let looks = 0;
    for await (const event of run) {
      if (event.type !== "migration.retrying") continue;
      looks += 1;
      // Nothing has been tried yet.
      expect(event).toMatchObject({
        id: "2_alter",
        attempt: 0,
        keptOutMs: expect.any(Number),
        reason: `public.busy is in use, held by backend ${pid} (test): BEGIN; SELECT FROM busy`,
      });
      if (looks > 1) expect(event.keptOutMs).toBeGreaterThanOrEqual(1000);
      if (looks === 3) await blocker.query("COMMIT");
    }
    expect((await run).total).toBe(2);
    expect(looks).toBeGreaterThanOrEqual(3);
    expect(await tablesOf(database)).toEqual(["busy", "next", "with_it"]);
    const log = await database.query<{ message: string; attempt: string; kept_out: number }>(
      "SELECT message, details->>'attempt' AS attempt, (details->>'kept_out_ms')::int AS kept_out FROM godwit.migration_log WHERE event = 'migration.retried' ORDER BY seq",
    );
    expect(log.map(({ attempt }) => attempt)).toEqual(Array.from({ length: looks }, () => "0"));
    expect(log[1]?.kept_out).toBeGreaterThanOrEqual(1000);
    expect(log[1]?.message).toContain(`backend ${pid}`);
    await godwit.verify();
    await nobodyLeft(database);
  });

  it("is not queued for, so that nobody has to queue behind it", async () => {
    const { database, godwit } = await testProject(FILES);
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    await hold(blocker, "busy");
    const run = godwit.up({ timeoutMs: 20_000 });
    const reader = await testClient(database.url);
    const reasons: string[] = [];
    let queued = 0;
    const reading = (async () => {
      while (reasons.length < 3) {
        await reader.query("SELECT FROM busy");
        const { rows } = await reader.query(
          "SELECT FROM pg_locks WHERE NOT granted AND relation = 'busy'::regclass",
        );
        queued += rows.length;
      }
    })();
    for await (const event of run) {
      if (event.type === "migration.retrying" && reasons.push(event.reason) === 3)
        await blocker.query("COMMIT");
    }
    await reading;
    expect((await run).total).toBe(2);
    expect(reasons.filter((reason) => reason.startsWith("lock not available"))).toEqual([]);
    expect(queued).toBe(0);
  });

  it("is given up in the end: the error names the holder, nothing is half done, and the next up goes on", async () => {
    const { database, godwit } = await testProject(FILES);
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    const pid = await pidOf(blocker);
    await hold(blocker, "busy");
    const events: GodwitEvent[] = [];
    const io = {
      config: godwit.config,
      emit: (event: GodwitEvent) => void events.push(event),
      signal: undefined,
      connectWaitMs: 0,
      lockWaitMs: 0,
      lockRetryMs: 3000,
      run: runRecord("up", {}),
    };
    const began = performance.now();
    const error = await failureOf(up(io, {}), "OBJECT_LOCK_TIMEOUT");
    expect(performance.now() - began).toBeGreaterThan(3000);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(error).toMatchObject({ sqlstate: "55P03", location: { line: 2 } });
    expect(error.detail).toContain(`held by backend ${pid}`);
    expect(error.hint).toContain("godwit up --terminate-blockers-after 30s\n");
    expect(error.hint).toContain("godwit lock blockers");
    expect(events.filter(({ type }) => type === "migration.failed")).toMatchObject([{ rolledBack: true }]);
    expect(await tablesOf(database)).toEqual(["busy"]);
    expect(await statesOf(godwit)).toEqual(["1_busy: applied", "2_alter: failed", "3_next: pending"]);
    await blocker.query("COMMIT");
    expect((await godwit.up()).total).toBe(2);
    await godwit.verify();
  });

  it("ends the waiting with --timeout too, exit status 1", async () => {
    const database = await testDatabase();
    const files = Object.fromEntries(
      Object.entries(FILES).map(([name, text]) => [`migrations/${name}`, text]),
    );
    const project = new Project(files, { DATABASE_URL: database.url });
    await project.run(["up", "--step", "1"]);
    const blocker = await testClient(database.url);
    await hold(blocker, "busy");
    const { exit, stdout } = await project.run(["up", "--timeout", "3s", "--json"]);
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: "TIMEOUT" });
    expect(await tablesOf(database)).toEqual(["busy"]);
  });

  it("is tried for again by a statement that stands alone too, and the ledger stays right", async () => {
    const { database, godwit } = await testProject({
      ...FILES,
      "2_alter.sql": "CREATE TABLE with_it ();\nVACUUM FULL busy;\nCREATE TABLE after_it ();\n",
    });
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    const pid = await pidOf(blocker);
    await hold(blocker, "busy");
    const run = godwit.up();
    const reasons: string[] = [];
    for await (const event of run) {
      if (event.type === "migration.retrying" && reasons.push(event.reason) === 2)
        await blocker.query("COMMIT");
    }
    expect((await run).total).toBe(2);
    expect(reasons[1]).toContain(`held by backend ${pid}`);
    expect(await tablesOf(database)).toEqual(["after_it", "busy", "next", "with_it"]);
    expect(await database.query("SELECT * FROM godwit.migration_steps")).toEqual([]);
    await godwit.verify();
  });

  it("is not blamed on who was in the way of another migration", async () => {
    const { database, godwit } = await testProject({
      ...FILES,
      "4_other.sql": "ALTER TABLE other ADD COLUMN n int;\n",
    });
    await database.query("CREATE TABLE other ()");
    await godwit.up({ steps: 1 });
    const [first, second] = [await testClient(database.url), await testClient(database.url)];
    const pid = await pidOf(first);
    await hold(first, "busy");
    await hold(second, "other");
    const run = godwit.up();
    const reasons: string[] = [];
    let before = 0;
    for await (const event of run) {
      if (event.type !== "migration.retrying") continue;
      if (event.id === "2_alter" && ++before === 3) await first.query("COMMIT");
      if (event.id === "4_other" && reasons.push(event.reason) === 2) await second.query("COMMIT");
    }
    expect((await run).total).toBe(3);
    expect(reasons[0]).toContain("public.other is in use");
    for (const reason of reasons) expect(reason).not.toContain(`backend ${pid}`);
  });
});

describe("a deadlock", () => {
  it("is rolled back and tried again", async () => {
    const { database, godwit } = await testProject({
      "1_two.sql": "CREATE TABLE x (id int);\nCREATE TABLE y (id int);\n",
      "2_both.sql": `-- godwit:lock_timeout 20s\n${AT_GATE}\nALTER TABLE y ADD COLUMN n int;\nALTER TABLE x ADD COLUMN n int;\n`,
    });
    await godwit.up({ steps: 1 });
    const gate = await shutGate(database);
    const other = await testClient(database.url);
    const run = godwit.up();
    await gate.reached();
    await other.query("BEGIN; LOCK TABLE x IN ACCESS SHARE MODE; SET LOCAL deadlock_timeout = '1h'");
    await gate.open();
    await expect
      .poll(() => database.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'x'::regclass"), {
        timeout: 10_000,
      })
      .toHaveLength(1);
    const waits = other.query("LOCK TABLE y IN ACCESS SHARE MODE").then(() => other.query("COMMIT"));
    const events = await eventsOf(run, "migration.retrying");
    await waits;
    expect((await run).total).toBe(1);
    expect(events).toMatchObject([{ id: "2_both", reason: expect.stringContaining("deadlock"), attempt: 1 }]);
  });
});

describe("a lock that autovacuum holds", () => {
  it(
    "is had all the same: the server makes way for who waits as long as deadlock_timeout",
    { timeout: 120_000 },
    async () => {
      const server = await startServer({
        settings: {
          autovacuum_naptime: "1s",
          autovacuum_vacuum_cost_delay: "100ms",
          autovacuum_vacuum_cost_limit: "1",
        },
      });
      try {
        const database = await createDatabase({ server: server.conninfo });
        const { godwit } = await testProject(FILES, { database });
        await godwit.up({ steps: 1 });
        await database.query(
          "INSERT INTO busy SELECT generate_series(1, 200000); DELETE FROM busy WHERE id % 2 = 0",
        );
        await expect
          .poll(
            () =>
              database.query(
                "SELECT FROM pg_stat_progress_vacuum WHERE datname = current_database() AND relid = 'busy'::regclass",
              ),
            { timeout: 30_000 },
          )
          .toHaveLength(1);
        const began = performance.now();
        expect((await godwit.up()).total).toBe(2);
        expect(performance.now() - began).toBeLessThan(30_000);
      } finally {
        await server.stop();
      }
    },
  );
});
