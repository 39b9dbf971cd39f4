import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import type { Godwit, GodwitEvent, GodwitOptions, Run } from "../../../src/index.ts";
import {
  createDatabase,
  createRole,
  startServer,
  testDatabase,
  type TestDatabase,
} from "../../support/postgres.ts";
import { eventsOf, testProject } from "../../support/project.ts";
import { testClient } from "./gate.ts";

const ALTERS = { "1_alter.sql": "ALTER TABLE users ADD COLUMN n int;\n" };

interface Scene {
  readonly database: TestDatabase;
  readonly godwit: Godwit;
  /** A session of the application. */
  readonly application: () => Promise<Client>;
}

/** A table that an application uses with a role of its own, and what wants to alter it. */
async function scene(
  options: GodwitOptions,
  files: Readonly<Record<string, string>> = ALTERS,
): Promise<Scene> {
  const database = await testDatabase();
  const role = await createRole();
  await database.query(`CREATE TABLE users (id int); GRANT ALL ON users TO ${role.name}`);
  const { godwit } = await testProject(files, { database, options });
  return { database, godwit, application: () => testClient(role.urlFor(database.url)) };
}

async function pidOf(client: Client): Promise<number> {
  return (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]!.pid;
}

async function acts(run: Run<unknown>): Promise<string[]> {
  return (await eventsOf(run, "blocker.signalled")).map(({ act, pid }) => `${act} ${pid}`);
}

/** Waits until a run has tried so often. */
async function tried(run: AsyncIterable<GodwitEvent>, times: number): Promise<void> {
  let attempts = 0;
  for await (const event of run) if (event.type === "migration.retrying" && ++attempts === times) return;
}

describe("a session that is in the way", () => {
  it("is never touched unless that is asked for", async () => {
    const { godwit, application } = await scene({ lockTimeoutMs: 100 });
    const blocker = await application();
    await blocker.query("BEGIN; SELECT FROM users");
    const run = godwit.up();
    await tried(run, 3);
    await blocker.query("SELECT 1; COMMIT");
    expect((await run).total).toBe(1);
  });

  it("is ended once it has been in the way for so long, idle in its transaction, which is told and logged", async () => {
    const { database, godwit, application } = await scene({
      cancelBlockersAfterMs: 500,
      terminateBlockersAfterMs: 2000,
    });
    const blocker = await application();
    const pid = await pidOf(blocker);
    await blocker.query("BEGIN; SELECT id FROM users");
    await delay(1000);
    const began = performance.now();
    const run = godwit.up();
    expect((await run).total).toBe(1);
    expect(performance.now() - began).toBeGreaterThan(2000);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await acts(run)).toEqual([`terminate ${pid}`]);
    // It never stood in the queue, where others would have had to wait behind it.
    const reasons = (await eventsOf(run, "migration.retrying")).map(({ reason }) => reason);
    expect(reasons.filter((reason) => !reason.startsWith("public.users is in use"))).toEqual([]);
    expect(await eventsOf(run, "blocker.signalled")).toMatchObject([
      { application: "test", query: "BEGIN; SELECT id FROM users" },
    ]);
    const log = await database.query(
      "SELECT message, migration_id, level, (details->>'pid')::int AS pid FROM godwit.migration_log WHERE event = 'blocker.terminated'",
    );
    expect(log).toEqual([
      {
        message: `terminated backend ${pid} (test), which was in the way`,
        migration_id: "1_alter",
        level: "warning",
        pid,
      },
    ]);
    await godwit.verify();
  });

  it("is cancelled first while it runs something", async () => {
    const { godwit, application } = await scene({
      cancelBlockersAfterMs: 1000,
      terminateBlockersAfterMs: 30_000,
    });
    const blocker = await application();
    const pid = await pidOf(blocker);
    await blocker.query("BEGIN; SELECT FROM users");
    const running = blocker.query("SELECT pg_sleep(60)").catch((error: Error) => error.message);
    const run = godwit.up();
    expect((await run).total).toBe(1);
    expect(await running).toContain("canceling statement due to user request");
    expect(await acts(run)).toEqual([`cancel ${pid}`]);
    await blocker.query("ROLLBACK");
  });

  it("is told of once where it is only to be cancelled, and is idle in its transaction", async () => {
    const { godwit, application } = await scene({ cancelBlockersAfterMs: 500 });
    const blocker = await application();
    const pid = await pidOf(blocker);
    await blocker.query("BEGIN; SELECT FROM users");
    const run = godwit.up();
    const told: unknown[] = [];
    for await (const event of run) {
      if (event.type === "blocker.signalled") told.push(event.act);
      if (event.type !== "warning") continue;
      told.push([event.message, event.hint]);
      void delay(2000).then(() => blocker.query("COMMIT"));
    }
    expect((await run).total).toBe(1);
    const who = `backend ${pid} (test): BEGIN; SELECT FROM users`;
    expect(told).toEqual([
      [
        `1_alter waits for ${who}; it is idle in its transaction, where a cancel does nothing, and it is let alone`,
        "end such sessions: godwit up --terminate-blockers-after 500ms",
      ],
    ]);
  });

  it("is cancelled where it is one long query", async () => {
    const { database, godwit, application } = await scene({ cancelBlockersAfterMs: 1500 });
    const blocker = await application();
    const pid = await pidOf(blocker);
    const running = blocker
      .query("SELECT count(*) FROM users, pg_sleep(60)")
      .catch((error: Error) => error.message);
    await expect
      .poll(() => database.query("SELECT FROM pg_locks WHERE relation = 'users'::regclass"), {
        timeout: 10_000,
      })
      .toHaveLength(1);
    const run = godwit.up();
    expect((await run).total).toBe(1);
    expect(await running).toContain("canceling statement due to user request");
    expect(await acts(run)).toEqual([`cancel ${pid}`]);
    expect(
      await database.query("SELECT message FROM godwit.migration_log WHERE event = 'blocker.cancelled'"),
    ).toEqual([{ message: `cancelled backend ${pid} (test), which was in the way` }]);
  });

  it("is ended for a statement that stands alone as well", async () => {
    const { database, godwit, application } = await scene(
      { terminateBlockersAfterMs: 1500 },
      { "1_full.sql": "VACUUM FULL users;\n" },
    );
    const blocker = await application();
    const pid = await pidOf(blocker);
    await blocker.query("BEGIN; SELECT id FROM users");
    await delay(1000);
    const run = godwit.up();
    expect((await run).total).toBe(1);
    expect(await acts(run)).toEqual([`terminate ${pid}`]);
    const log = await database.query<{ event: string }>(
      "SELECT event FROM godwit.migration_log WHERE event IN ('blocker.terminated', 'migration.applied') ORDER BY seq",
    );
    expect(log.map(({ event }) => event)).toEqual(["blocker.terminated", "migration.applied"]);
    await godwit.verify();
  });

  it("is let alone where it only queues, or its transaction is young", async () => {
    const { database, godwit, application } = await scene({
      terminateBlockersAfterMs: 1500,
      lockTimeoutMs: 300,
    });
    const [holder, queued] = [await application(), await application()];
    const pids = [await pidOf(holder), await pidOf(queued)];
    await holder.query("BEGIN; SELECT FROM users");
    const waiting = queued
      .query("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; COMMIT")
      .catch(() => undefined);
    await expect
      .poll(() => database.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass"), {
        timeout: 10_000,
      })
      .toHaveLength(1);
    const run = godwit.up();
    expect((await run).total).toBe(1);
    expect(await acts(run)).toEqual([`terminate ${pids[0]}`]);
    await waiting;
    await queued.query("SELECT 1");
  });

  it.each([
    ["a superuser's", true, "it is a superuser's session"],
    ["one of Godwit", false, "it is a session of Godwit"],
  ])("is let alone and told of where it is %s", async (_, superuser, why) => {
    const { database, godwit, application } = await scene({
      terminateBlockersAfterMs: 1000,
      lockTimeoutMs: 300,
    });
    const blocker = superuser ? await testClient(database.url) : await application();
    if (!superuser) await blocker.query("SET application_name = 'godwit/12345678/1/x'");
    const pid = await pidOf(blocker);
    await blocker.query("BEGIN; SELECT FROM users");
    const run = godwit.up();
    const told: string[] = [];
    let looks = 0;
    for await (const event of run) {
      if (event.type === "warning") told.push(event.message);
      // It is looked at again, and not told of again.
      if (event.type === "migration.retrying" && ++looks === 3) await blocker.query("COMMIT");
    }
    expect((await run).total).toBe(1);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      new RegExp(`^1_alter waits for backend ${pid} \\(.*${why}, and it is let alone$`),
    );
  });

  it("is told of where it is a prepared transaction, which belongs to no session", async () => {
    const server = await startServer({ settings: { max_prepared_transactions: "2" } });
    try {
      const database = await createDatabase({ server: server.conninfo });
      await database.query("CREATE TABLE users (id int)");
      await database.query("BEGIN; SELECT FROM users; PREPARE TRANSACTION 'left over'");
      const { godwit } = await testProject(ALTERS, { database, options: { terminateBlockersAfterMs: 1000 } });
      const run = godwit.up();
      const told: string[] = [];
      for await (const event of run) {
        if (event.type !== "warning") continue;
        told.push(`${event.message} | ${event.hint}`);
        await database.query("ROLLBACK PREPARED 'left over'");
      }
      expect((await run).total).toBe(1);
      expect(told).toEqual([
        "1_alter waits for a prepared transaction; it is prepared, and it is let alone | see pg_prepared_xacts; COMMIT PREPARED or ROLLBACK PREPARED ends it",
      ]);
    } finally {
      await server.stop();
    }
  });

  it("is told of with the GRANT to type where the role may not do it", async () => {
    const database = await testDatabase();
    const [owner, other] = [await createRole(), await createRole()];
    await database.query(
      `GRANT CREATE ON DATABASE ${database.name} TO ${owner.name}; GRANT ALL ON SCHEMA public TO ${owner.name};
       CREATE TABLE users (id int); ALTER TABLE users OWNER TO ${owner.name}; GRANT ALL ON users TO ${other.name}`,
    );
    const { godwit } = await testProject(ALTERS, {
      database: { ...database, url: owner.urlFor(database.url) },
      options: { terminateBlockersAfterMs: 1000, lockTimeoutMs: 300 },
    });
    const blocker = await testClient(other.urlFor(database.url));
    await blocker.query("BEGIN; SELECT FROM users");
    const run = godwit.up();
    const warnings: string[] = [];
    for await (const event of run) {
      if (event.type !== "warning") continue;
      warnings.push(`${event.message} | ${event.hint}`);
      await blocker.query("COMMIT");
    }
    await run;
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`GRANT pg_signal_backend, pg_read_all_stats TO ${owner.name};`);
    for (const role of [owner, other]) await role.drop([database.url]);
  });

  it("is ended for a patient statement as well", async () => {
    const { godwit, application } = await scene(
      { terminateBlockersAfterMs: 2000 },
      { "1_index.sql": "CREATE INDEX CONCURRENTLY by_id ON users (id);\n" },
    );
    const blocker = await application();
    const pid = await pidOf(blocker);
    await blocker.query("BEGIN; INSERT INTO users VALUES (1)");
    const run = godwit.up();
    expect((await run).total).toBe(1);
    expect(await acts(run)).toEqual([`terminate ${pid}`]);
  });
});
