import type { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Godwit, LockTreeNode } from "../../../src/index.ts";
import {
  createDatabase,
  createRole,
  startServer,
  testDatabase,
  type TestDatabase,
} from "../../support/postgres.ts";
import { testProject } from "../../support/project.ts";
import { AT_GATE, PATIENT, shutGate, testClient } from "./gate.ts";

async function pidOf(client: Client): Promise<number> {
  return (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]!.pid;
}

/** A session in the middle of a transaction. */
async function open(url: string, sql: string): Promise<{ client: Client; pid: number }> {
  const client = await testClient(url);
  const pid = await pidOf(client);
  await client.query(`BEGIN; ${sql}`);
  return { client, pid };
}

/** A session that waits in a statement, once the server says that it waits. */
async function waiting(
  url: string,
  sql: string,
  before = "SELECT",
): Promise<{ pid: number; done: Promise<unknown> }> {
  const client = await testClient(url);
  const pid = await pidOf(client);
  await client.query(before);
  const done = client.query(sql);
  done.catch(() => undefined);
  const watcher = await testClient(url);
  await expect
    .poll(
      async () =>
        (
          await watcher.query(
            "SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND waitstart IS NOT NULL",
            [pid],
          )
        ).rowCount,
      { timeout: 20_000 },
    )
    .toBe(1);
  return { pid, done };
}

async function treeOf(godwit: Godwit): Promise<readonly LockTreeNode[]> {
  return (await godwit.lockBlockers()).databases[0]!.tree;
}

/** Who stands where: process ids by depth. */
function placesOf(tree: readonly LockTreeNode[]): [number, number | string | null][] {
  return tree.map(({ depth, pid, preparedTransaction }) => [depth, pid ?? preparedTransaction]);
}

async function project(database?: TestDatabase) {
  const made = await testProject({}, database === undefined ? {} : { database });
  await made.database.query(
    "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1), (2, 2)",
  );
  return made;
}

describe("lock blockers", () => {
  it("is empty where nobody waits, though locks are held; and creates nothing", async () => {
    const { godwit, database } = await project();
    await open(database.url, "LOCK TABLE t");
    expect(await godwit.lockBlockers()).toEqual({
      databases: [{ database: expect.any(String), targets: ["default"], tree: [] }],
    });
    expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'godwit'")).toEqual([]);
  });

  it("is a tree: the root, who waits for it, and who queues behind that one", async () => {
    const { godwit, database } = await project();
    const root = await open(database.url, "SELECT * FROM t");
    const alter = await waiting(
      database.url,
      "ALTER TABLE t\n  ADD  COLUMN x int, ADD y text DEFAULT 'password=s3cret'",
    );
    const select = await waiting(database.url, "SELECT count(*) FROM t");
    const tree = await treeOf(godwit);
    expect(placesOf(tree)).toEqual([
      [0, root.pid],
      [1, alter.pid],
      [2, select.pid],
    ]);
    expect(tree[0]).toMatchObject({
      application: "test",
      backendType: "client backend",
      state: "idle in transaction",
      waitsFor: null,
      godwit: false,
      remedy: { sql: `SELECT pg_terminate_backend(${root.pid});` },
    });
    expect(tree[0]!.transactionMs).toBeGreaterThan(0);
    expect(tree[0]!.stateMs).toBeGreaterThan(0);
    expect(tree[1]).toMatchObject({
      query: "ALTER TABLE t ADD COLUMN x int, ADD y text DEFAULT 'password=***'",
      waitsFor: { mode: "AccessExclusiveLock", object: "t", pids: [root.pid], preparedTransactions: [] },
      remedy: null,
    });
    expect(tree[1]!.waitsFor!.waitedMs).toBeGreaterThanOrEqual(0);
    expect(tree[2]).toMatchObject({ waitsFor: { mode: "AccessShareLock", pids: [alter.pid] } });
    await database.query(tree[0]!.remedy!.sql);
    await alter.done;
    await select.done;
    expect(await treeOf(godwit)).toEqual([]);
  });

  it("cancels what runs, and names rows by their table, as only its owner could have named it", async () => {
    const { godwit, database } = await project();
    await database.query(`CREATE TABLE "We""ird;
name" (id int); INSERT INTO "We""ird;
name" VALUES (1)`);
    const update = `UPDATE "We""ird;\nname" SET id = id`;
    const root = await open(database.url, update);
    root.client.query("SELECT pg_sleep(300)").catch(() => undefined);
    const first = await waiting(database.url, update);
    const second = await waiting(database.url, update);
    const tree = await treeOf(godwit);
    expect(placesOf(tree)).toEqual([
      [0, root.pid],
      [1, first.pid],
      [2, second.pid],
    ]);
    expect(tree[0]!.remedy!.sql).toBe(`SELECT pg_cancel_backend(${root.pid});`);
    expect(tree.slice(1).map(({ waitsFor }) => waitsFor!.object)).toEqual([
      'a row of "We""ird;\nname"',
      'a row of "We""ird;\nname"',
    ]);
    await database.query(tree[0]!.remedy!.sql);
    await first.done;
    await second.done;
    expect(await treeOf(godwit)).toEqual([]);
  });

  it("enters the circle of a deadlock that the server has not ended yet", async () => {
    const { godwit, database } = await project();
    const slow = "SET deadlock_timeout = '10min'; BEGIN;";
    const a = await testClient(database.url);
    const b = await testClient(database.url);
    const [one, two] = [await pidOf(a), await pidOf(b)];
    await a.query(`${slow} UPDATE t SET n = 0 WHERE id = 1`);
    await b.query(`${slow} UPDATE t SET n = 0 WHERE id = 2`);
    const both = [a.query("UPDATE t SET n = 0 WHERE id = 2"), b.query("UPDATE t SET n = 0 WHERE id = 1")];
    for (const each of both) each.catch(() => undefined);
    await expect.poll(async () => (await treeOf(godwit)).length).toBe(2);
    const tree = await treeOf(godwit);
    expect(tree.map(({ depth, circle }) => [depth, circle])).toEqual([
      [0, true],
      [1, false],
    ]);
    expect(new Set(tree.map(({ pid }) => pid))).toEqual(new Set([one, two]));
    expect(tree[0]!.remedy!.sql).toContain(`(${tree[0]!.pid})`);
  });

  it("knows a blocker of another database, where what is locked belongs to the whole server", async () => {
    const { godwit, database } = await project();
    const other = await testDatabase();
    const role = await createRole();
    onTestFinished(() => role.drop());
    const root = await open(other.url, `COMMENT ON ROLE ${role.name} IS 'a'`);
    const waiter = await waiting(database.url, `COMMENT ON ROLE ${role.name} IS 'b'`);
    const tree = await treeOf(godwit);
    expect(placesOf(tree)).toEqual([
      [0, root.pid],
      [1, waiter.pid],
    ]);
    expect(tree[0]!.database).toBe(other.name);
    expect(tree[1]!.waitsFor!.object).toBe(`role ${role.name}`);
    // Nobody waits in the other database.
    expect(await treeOf((await testProject({}, { database: other })).godwit)).toEqual([]);
  });

  it("says which are Godwit's own", async () => {
    const { database, godwit, write } = await project();
    await write({ "1_gate.sql": `${PATIENT}ALTER TABLE t ADD x int;\n${AT_GATE}\n` });
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    const select = await waiting(database.url, "SELECT * FROM t");
    const tree = await treeOf(godwit);
    // The gate is a lock too.
    expect(tree.map(({ depth, godwit: own }) => [depth, own])).toEqual([
      [0, false],
      [1, true],
      [2, false],
    ]);
    expect(tree[2]!.pid).toBe(select.pid);
    await gate.open();
    await run;
  });

  it("shows what stays out of the queue, though nobody waits in the server, and who is in its way", async () => {
    const { database, godwit, write } = await project();
    await write({ "1_alter.sql": "ALTER TABLE t ADD x int;\n" });
    const root = await open(database.url, "SELECT FROM t");
    const run = godwit.up();
    let tree: readonly LockTreeNode[] = [];
    // Its first attempts stand in the queue for a moment.
    await expect
      .poll(async () => (tree = await treeOf(godwit))[1]?.waitsFor?.keptOut, { timeout: 20_000 })
      .toBe("1_alter");
    expect(placesOf(tree)[0]).toEqual([0, root.pid]);
    expect(tree[0]!.remedy!.sql).toBe(`SELECT pg_terminate_backend(${root.pid});`);
    expect(tree[1]).toMatchObject({
      depth: 1,
      godwit: true,
      query: null,
      waitsFor: { mode: "AccessExclusiveLock", object: "public.t", keptOut: "1_alter", pids: [root.pid] },
    });
    const holderOf = async () => (await godwit.lockStatus()).targets[0]!.holder!;
    let seen = await holderOf();
    await expect
      .poll(async () => (seen = await holderOf()).activity!.keptOut !== null, { timeout: 20_000 })
      .toBe(true);
    const keptOut = { migration: "1_alter", relation: "public.t", pids: [root.pid] };
    expect(seen).toMatchObject({ activity: { query: null, keptOut }, progress: { current: "1_alter" } });
    await database.query(tree[0]!.remedy!.sql);
    expect((await run).total).toBe(1);
    expect(await treeOf(godwit)).toEqual([]);
  });

  it("shows a role that may see nothing who waits for whom, and for what", async () => {
    const { database, open: openAs } = await project();
    const role = await createRole();
    onTestFinished(() => role.drop());
    const root = await open(database.url, "LOCK TABLE t");
    const waiter = await waiting(database.url, "SELECT * FROM t");
    const tree = await treeOf(await openAs({ database: role.urlFor(database.url) }));
    expect(placesOf(tree)).toEqual([
      [0, root.pid],
      [1, waiter.pid],
    ]);
    expect(tree[0]).toMatchObject({ query: null, state: null, application: "test" });
    expect(tree[0]!.remedy!.warnings).toContain("this role may not see what it does");
    expect(tree[1]!.waitsFor).toMatchObject({ object: "t", mode: "AccessShareLock" });
  });

  it("tells a role that may not end the root what would allow it", async () => {
    const { database, open: openAs } = await project();
    const [role, other] = [await createRole(), await createRole()];
    onTestFinished(async () => {
      await other.drop([database.url]);
      await role.drop();
    });
    await database.query(`GRANT ALL ON t TO ${other.name}`);
    await open(other.urlFor(database.url), "UPDATE t SET n = 0");
    await waiting(database.url, "UPDATE t SET n = 1");
    const godwit = await openAs({ database: role.urlFor(database.url) });
    const remedy = (await treeOf(godwit))[0]!.remedy!;
    const own = await testClient(role.urlFor(database.url));
    await expect(own.query(remedy.sql)).rejects.toThrow(/terminat/);
    const grant = `GRANT pg_signal_backend TO ${role.name};`;
    expect(remedy.warnings).toContain(`this role may not end it; as a superuser: ${grant}`);

    await database.query(grant);
    const allowed = (await treeOf(godwit))[0]!.remedy!;
    expect(allowed.warnings).toEqual(["this role may not see what it does"]);
    expect((await own.query(allowed.sql)).rowCount).toBe(1);
  });

  it("asks a database once, however many streams it has", async () => {
    const { godwit, open: another, database } = await project();
    const { config } = await another();
    const [base] = config.streams;
    const { createGodwit } = await import("../../../src/index.ts");
    const two = await createGodwit({
      config: {
        ...config,
        streams: [
          { ...base!, name: "a" },
          { ...base!, name: "b" },
        ],
      },
      env: {},
    });
    expect((await two.lockBlockers()).databases).toMatchObject([{ targets: ["a", "b"] }]);
    expect((await godwit.lockBlockers()).databases[0]!.database).toContain(database.name);
  });
});

describe("a prepared transaction", () => {
  it("is a root of its own name, with the statement that ends it", async () => {
    const server = await startServer({ settings: { max_prepared_transactions: "4" } });
    onTestFinished(() => server.stop());
    const database = await createDatabase({ server: server.conninfo });
    const { godwit } = await project(database);
    const gid = "shop's 'order' 1";
    const quoted = gid.replaceAll("'", "''");
    const reader = await testClient(database.url);
    await reader.query(`BEGIN; SELECT * FROM t; PREPARE TRANSACTION 'reads only'`);
    const writer = await testClient(database.url);
    await writer.query(`BEGIN; UPDATE t SET n = 5 WHERE id = 1; PREPARE TRANSACTION '${quoted}'`);
    const row = await waiting(database.url, "UPDATE t SET n = 6 WHERE id = 1");
    const share = await waiting(database.url, "LOCK TABLE t IN SHARE MODE", "BEGIN");
    const tree = await treeOf(godwit);
    // What only reads conflicts with neither of them.
    expect(placesOf(tree)).toEqual([
      [0, gid],
      [1, row.pid],
      [2, share.pid],
    ]);
    expect(tree[0]).toMatchObject({
      pid: null,
      state: "prepared",
      remedy: { sql: `ROLLBACK PREPARED '${quoted}';` },
    });
    expect(tree[2]!.waitsFor).toMatchObject({ preparedTransactions: [gid], pids: [row.pid] });
    await database.query(tree[0]!.remedy!.sql);
    await row.done;
    await share.done;
    await database.query("ROLLBACK PREPARED 'reads only'");
  });
});
