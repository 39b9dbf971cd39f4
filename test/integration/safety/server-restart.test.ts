import { describe, expect, it } from "vitest";
import { freePort } from "../../../src/postgres/embedded/free-port.ts";
import {
  createDatabase,
  createRole,
  query as queryAt,
  urlOf,
  withClient,
  type TestDatabase,
} from "../../support/postgres.ts";
import { eventsOf, failureOf, idsOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { restartableServer, type HowToStop } from "../../support/restartable-server.ts";
import { AT_GATE, godwitSessions, nobodyLeft, PATIENT, shutGate, testClient } from "./gate.ts";

const NEXT = { "2_next.sql": "CREATE TABLE next ();\n", "3_last.sql": "CREATE TABLE last ();\n" };
const HOWS: readonly HowToStop[] = ["fast", "immediate"];

/** Waits for a statement to run and terminates its session. */
async function terminateDuring(database: TestDatabase, like: string): Promise<void> {
  const sql = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()
    AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE $1`;
  await expect.poll(() => database.query(sql, [like]), { timeout: 20_000 }).toHaveLength(1);
}

/** That every migration was applied once and the log is whole. */
async function expectExactlyOnce(database: TestDatabase, ids: readonly string[]): Promise<void> {
  const rows = await database.query<{ id: string; n: number }>(
    `SELECT migration_id AS id, count(*)::int AS n FROM godwit.migration_log WHERE event = 'migration.applied' GROUP BY 1 ORDER BY 1`,
  );
  expect(rows).toEqual(ids.toSorted().map((id) => ({ id, n: 1 })));
}

describe.each(HOWS)("a server that is restarted (%s)", (how) => {
  it("in the middle of a transaction: the run goes on once it is back", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    await database.query("CREATE TABLE nap AS SELECT 60 AS n");
    const { godwit } = await testProject(
      {
        "1_slow.sql": "CREATE TABLE a ();\nSELECT pg_sleep(n) FROM nap;\nCREATE TABLE b ();\n",
        ...NEXT,
      },
      { database },
    );
    const run = godwit.up();
    await expect
      .poll(async () => (await godwitSessions(database)).map(({ query, state }) => `${query} ${state}`), {
        timeout: 20_000,
      })
      .toContain("SELECT pg_sleep(n) FROM nap active");
    await database.query("UPDATE nap SET n = 0");
    await server.restart(how);
    expect(idsOf(await run)).toEqual(["1_slow", "2_next", "3_last"]);
    expect((await eventsOf(run, "target.retrying"))[0]).toMatchObject({
      id: "1_slow",
      code: "CONNECTION_LOST",
    });
    await expectExactlyOnce(database, ["1_slow", "2_next", "3_last"]);
    await godwit.verify();
    await nobodyLeft(database);
  });

  it("in the middle of CREATE INDEX CONCURRENTLY: what is left INVALID is built again", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    await database.query("CREATE TABLE busy (n int); INSERT INTO busy VALUES (1)");
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; INSERT INTO busy VALUES (2)");
    const { godwit } = await testProject(
      { "1_index.sql": "CREATE INDEX CONCURRENTLY busy_n ON busy (n);\n", ...NEXT },
      { database },
    );
    const run = godwit.up();
    await expect
      .poll(() => database.query("SELECT FROM pg_index WHERE indexrelid::regclass::text = 'busy_n'"), {
        timeout: 20_000,
      })
      .toHaveLength(1);
    await server.restart(how);
    expect(idsOf(await run)).toEqual(["1_index", "2_next", "3_last"]);
    expect(
      await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'busy_n'::regclass"),
    ).toEqual([{ indisvalid: true }]);
    await expectExactlyOnce(database, ["1_index", "2_next", "3_last"]);
    await godwit.verify();
  });

  it("twice, anywhere in a long row of migrations", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const ids = Array.from({ length: 60 }, (_, n) => `${100 + n}_t`);
    const { godwit } = await testProject(
      Object.fromEntries(
        ids.map((id, n) => [
          `${id}.sql`,
          n % 7 === 0
            ? `CREATE TABLE t${n} (id int);\nCREATE INDEX CONCURRENTLY i${n} ON t${n} (id);\n`
            : `CREATE TABLE t${n} ();\nSELECT pg_sleep(0.02);\n`,
        ]),
      ),
      { database },
    );
    const run = godwit.up();
    const done = async (): Promise<number> =>
      (await database.query("SELECT FROM godwit.migrations WHERE status = 'completed'").catch(() => []))
        .length;
    for (const count of [10, 35]) {
      await expect.poll(done, { timeout: 30_000, interval: 5 }).toBeGreaterThan(count);
      await server.restart(how);
    }
    expect(idsOf(await run)).toEqual(ids);
    await expectExactlyOnce(database, ids);
    await godwit.verify();
  });
});

describe("a work session that is terminated", () => {
  it("in the middle of a statement: the same run applies it, and tells it once", async () => {
    const { database, godwit } = await testProject({
      "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\nCREATE TABLE b ();\n`,
      ...NEXT,
    });
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    await terminateDuring(database, "%pg_advisory_xact_lock_shared%");
    await gate.reached();
    await gate.open();
    expect(idsOf(await run)).toEqual(["1_gate", "2_next", "3_last"]);
    expect((await eventsOf(run, "migration.finished")).map(({ id }) => id)).toEqual([
      "1_gate",
      "2_next",
      "3_last",
    ]);
    expect(await eventsOf(run, "migration.failed")).toEqual([]);
    await godwit.verify();
    await nobodyLeft(database);
  });

  it.each([
    ["by a statement of its own", "SELECT pg_terminate_backend(pg_backend_pid());"],
    ["by a statement that crashes the server", `COPY half FROM PROGRAM 'kill -9 $PPID';`],
  ])("%s: the run stops at the third time", async (_, suicide) => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const { godwit } = await testProject(
      {
        "1_first.sql": "CREATE TABLE first ();\n",
        "2_kills.sql": `CREATE TABLE half (t text);\n${suicide}\n`,
        "3_never.sql": "CREATE TABLE never ();\n",
      },
      { database },
    );
    const run = godwit.up();
    const error = await failureOf(run, "CONNECTION_LOST");
    expect(error.message).toMatch(/^2_kills: .*\(3 times in a row\)$/);
    expect(error.hint).toContain("godwit up");
    expect(idsOf(error.result)).toEqual(["1_first"]);
    expect((await eventsOf(run, "migration.started")).map(({ id }) => id)).toEqual([
      "1_first",
      "2_kills",
      "2_kills",
      "2_kills",
    ]);
    expect((await eventsOf(run, "migration.failed")).map(({ id }) => id)).toEqual(["2_kills"]);
    // The server may still answer before it notices that it has crashed.
    const seen = async (): Promise<unknown> => {
      const tables = await tablesOf(database);
      const states = await statesOf(godwit);
      await godwit.verify();
      return { tables, states };
    };
    await expect
      .poll(() => seen().catch(() => null), { timeout: 40_000 })
      .toEqual({
        tables: ["first"],
        states: ["1_first: applied", "2_kills: pending", "3_never: pending"],
      });
  });

  it("whose step nobody can judge needs a person, in the same run", async () => {
    const { database, godwit } = await testProject({
      "1_do.sql": "-- godwit:transaction off\nDO $$ BEGIN PERFORM pg_sleep(60); END $$;\n",
      ...NEXT,
    });
    const run = godwit.up();
    await terminateDuring(database, "DO $$ BEGIN PERFORM%");
    const error = await failureOf(run, "NEEDS_REPAIR");
    expect(error.message).toContain("1_do");
    expect(await eventsOf(run, "target.retrying")).toHaveLength(1);
    await nobodyLeft(database);
  });
});

describe("no connection left", () => {
  /** Takes every connection that the server has for a role. */
  async function takeAll(url: string): Promise<() => Promise<void>> {
    const taken: Awaited<ReturnType<typeof testClient>>[] = [];
    for (;;) {
      try {
        taken.push(await testClient(url));
      } catch {
        return async () => {
          for (const client of taken.splice(0)) await client.end();
        };
      }
    }
  }

  it("at the start: waited for with --connect-wait, and an error without", async () => {
    const server = await restartableServer({ max_connections: "8", superuser_reserved_connections: "3" });
    const database = await createDatabase({ server: server.conninfo });
    const role = await createRole("", server.conninfo);
    await database.query(
      `GRANT CREATE ON DATABASE ${database.name} TO ${role.name}; GRANT CREATE ON SCHEMA public TO ${role.name}`,
    );
    const url = role.urlFor(database.url);
    const { godwit } = await testProject(NEXT, { database, options: { database: url } });
    const release = await takeAll(url);
    expect(await failureOf(godwit.up(), "DATABASE_UNREACHABLE")).toMatchObject({ sqlstate: "53300" });
    const run = godwit.up({ connectWaitMs: 30_000 });
    for await (const event of run)
      if (event.type === "connection.waiting" && event.attempt === 2) await release();
    expect((await run).total).toBe(2);
  });

  it("when the run wants to come back: waited for as well", async () => {
    const server = await restartableServer({ max_connections: "8", superuser_reserved_connections: "3" });
    const database = await createDatabase({ server: server.conninfo });
    const role = await createRole("", server.conninfo);
    await database.query(
      `GRANT CREATE ON DATABASE ${database.name} TO ${role.name}; GRANT CREATE ON SCHEMA public TO ${role.name}`,
    );
    const url = role.urlFor(database.url);
    const { godwit } = await testProject(
      { "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`, ...NEXT },
      { database, options: { database: url } },
    );
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    // The role may not come back; whoever is in, stays.
    await database.query(`ALTER ROLE ${role.name} CONNECTION LIMIT 0`);
    await terminateDuring(database, "%pg_advisory_xact_lock_shared%");
    for await (const event of run) {
      if (event.type !== "connection.waiting" || event.attempt !== 2) continue;
      expect(event.reason).toContain("too many connections");
      await gate.open();
      await database.query(`ALTER ROLE ${role.name} CONNECTION LIMIT -1`);
    }
    expect(idsOf(await run)).toEqual(["1_gate", "2_next", "3_last"]);
    await godwit.verify();
  });
});

describe("a server in recovery", () => {
  it("that takes no connections yet (57P03) is waited for, at the start and in the middle", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const { godwit, write } = await testProject(NEXT, { database });
    const notYet = { standby: true, settings: { hot_standby: "off" } };
    await server.stop("fast");
    await server.start(notYet);
    expect(await failureOf(godwit.up(), "DATABASE_UNREACHABLE")).toMatchObject({ sqlstate: "57P03" });
    const first = godwit.up({ connectWaitMs: 30_000 });
    for await (const event of first)
      if (event.type === "connection.waiting" && event.attempt === 2) await server.restart("fast");
    expect((await first).total).toBe(2);

    await write({ "4_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n` });
    const gate = await shutGate(database);
    const second = godwit.up();
    await gate.reached();
    await server.stop("immediate");
    await server.start(notYet);
    let seen = false;
    for await (const event of second) {
      if (
        event.type !== "connection.waiting" ||
        !/not (yet )?accepting connections/.test(event.reason) ||
        seen
      )
        continue;
      seen = true;
      await server.restart("fast");
    }
    expect(idsOf(await second)).toEqual(["4_gate"]);
    expect(seen).toBe(true);
    await godwit.verify();
  });

  it("that takes no writes any more: tried again until somebody promotes it", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const { godwit } = await testProject(
      { "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`, ...NEXT },
      { database },
    );
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    await server.stop("fast");
    await server.start({ standby: true });
    let seen = 0;
    for await (const event of run) {
      if (event.type !== "connection.waiting" || !event.reason.includes("recovery") || ++seen !== 2) continue;
      await withClient(server.conninfo, (client) => client.query("SELECT pg_promote()"));
    }
    expect(idsOf(await run)).toEqual(["1_gate", "2_next", "3_last"]);
    expect(seen).toBeGreaterThanOrEqual(2);
    await godwit.verify();
  });

  it("for longer than the run bears: exit 8, which says what is the matter and what to type", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const { godwit } = await testProject(
      { "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`, ...NEXT },
      { database },
    );
    const gate = await shutGate(database);
    const run = godwit.up({ reconnectWaitMs: 3000 });
    await gate.reached();
    await server.stop("fast");
    await server.start({ standby: true });
    const error = await failureOf(run, "DATABASE_UNREACHABLE");
    expect(error.message).toMatch(/connection .* was lost.*accepts no writes: it is in recovery/);
    expect(error.sqlstate).toBe("25006");
    expect(error.hint).toContain("target_session_attrs=read-write");
    expect(error.hint).toContain("godwit up --reconnect-wait 10min");
    expect(error.result).toMatchObject({ total: 0 });
    expect(await eventsOf(run, "migration.failed")).toHaveLength(1);
    await server.restart("fast");
    expect((await godwit.up()).total).toBe(3);
  });

  it("is not waited for where it took no writes from the start, but with --connect-wait", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const { godwit } = await testProject(NEXT, { database });
    await server.stop("fast");
    await server.start({ standby: true });
    expect(await failureOf(godwit.up(), "PERMISSION_DENIED")).toMatchObject({ sqlstate: "25006" });
    const run = godwit.up({ connectWaitMs: 30_000 });
    let seen = 0;
    for await (const event of run) {
      if (event.type !== "connection.waiting" || ++seen !== 2) continue;
      await withClient(server.conninfo, (client) => client.query("SELECT pg_promote()"));
    }
    expect((await run).total).toBe(2);
  });
});

describe("a failover to another host", () => {
  it.each(["read-write", "primary"])("is followed by target_session_attrs=%s", async (kind) => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const spare = await freePort(server.port + 1);
    const { username, password, pathname } = new URL(database.url);
    const hosts = [server.port, spare].map((port) => `127.0.0.1:${port}`).join(",");
    const url = `postgresql://${username}:${password}@${hosts}${pathname}?target_session_attrs=${kind}`;
    const { godwit } = await testProject(
      { "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`, ...NEXT },
      { database, options: { database: url } },
    );
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    await server.stop("fast");
    const copy = await server.copy(spare);
    await server.start({ standby: true });
    expect(idsOf(await run)).toEqual(["1_gate", "2_next", "3_last"]);
    const there = urlOf(copy.conninfo, { database: database.name });
    expect(await queryAt(there, "SELECT id FROM godwit.migrations WHERE status = 'completed'")).toHaveLength(
      3,
    );
    await godwit.verify();
  });

  it("that had not got everything: it is done again, told once, with a warning", async () => {
    const server = await restartableServer();
    const database = await createDatabase({ server: server.conninfo });
    const spare = await freePort(server.port + 1);
    await server.stop("fast");
    const behind = await server.copy(spare);
    await server.start();
    const { username, password, pathname } = new URL(database.url);
    const hosts = [server.port, spare].map((port) => `127.0.0.1:${port}`).join(",");
    const { godwit } = await testProject(
      { "1_first.sql": "CREATE TABLE first ();\n", "2_gate.sql": `${PATIENT}${AT_GATE}\n`, ...NEXT },
      { database, options: { database: `postgresql://${username}:${password}@${hosts}${pathname}` } },
    );
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    await server.stop("fast");
    const result = await run;
    expect(idsOf(result)).toEqual(["1_first", "2_gate", "2_next", "3_last"]);
    expect(result.targets[0]?.warnings).toEqual([
      "1_first was applied before the connection was lost, and is not any more",
    ]);
    const there = urlOf(behind.conninfo, { database: database.name });
    expect(await queryAt(there, "SELECT id FROM godwit.migrations WHERE status = 'completed'")).toHaveLength(
      4,
    );
  });
});
