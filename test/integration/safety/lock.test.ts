import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGodwit, type Godwit, type GodwitEvent, type Run } from "../../../src/index.ts";
import { advisoryKey } from "../../../src/lock/key.ts";
import { Project as CliProject } from "../../e2e/cli-harness.ts";
import { failureOf, tablesOf, testProject, writeFiles, type Project } from "../../support/project.ts";
import { AT_GATE, godwitSessions, nobodyLeft, PATIENT, shutGate, testClient } from "./gate.ts";

const SCOPE = { schema: "godwit", stream: "default", targetSchema: "" };

interface Holder {
  readonly pid: number;
  release(): Promise<void>;
}

/** Has another session take Godwit's lock, or queue for it; it keeps it for the rest of the test. */
async function holdLock(
  { database }: Project,
  scope = SCOPE,
): Promise<Holder & { readonly held: Promise<unknown> }> {
  const client = await testClient(database.url);
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const held = client.query(`SELECT pg_advisory_lock(${advisoryKey(scope)})`);
  held.catch(() => undefined);
  return {
    pid: rows[0]!.pid,
    held,
    release: async () => void (await client.query("SELECT pg_advisory_unlock_all()")),
  };
}

/** Several streams in one database, each with its folder. */
async function streamsOf(
  project: Project,
  files: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<Godwit> {
  const { config } = await project.open();
  const [base] = config.streams;
  for (const [name, own] of Object.entries(files)) await writeFiles(join(project.root, name), own);
  const all = Object.keys(files).map((name) => ({ ...base!, name, migrations: join(project.root, name) }));
  return createGodwit({ config: { ...config, streams: all }, env: {} });
}

/** Waits until a run tells of something. */
async function told<T extends GodwitEvent["type"]>(
  run: Run<unknown>,
  type: T,
): Promise<Extract<GodwitEvent, { type: T }>> {
  for await (const event of run) if (event.type === type) return event as Extract<GodwitEvent, { type: T }>;
  throw new Error(`it ended without telling ${type}`);
}

describe("waiting for the lock", () => {
  const files = {
    "1_gate.sql": `${PATIENT}CREATE TABLE a (id int);\nINSERT INTO a SELECT generate_series(1, 1000);\n${AT_GATE}\n`,
    "2_index.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\n",
  };

  it("is polling: no waiting lock, no transaction, no snapshot; and CREATE INDEX CONCURRENTLY passes", async () => {
    const project = await testProject(files);
    const { database, godwit, open } = project;
    const gate = await shutGate(database);
    const holder = godwit.up();
    await gate.reached();
    const waiters = await Promise.all(Array.from({ length: 6 }, async () => ({ run: (await open()).up() })));
    for (const { run } of waiters) expect((await told(run, "lock.waiting")).holder).toMatch(/^backend \d+/);

    for (let look = 0; look < 25; look++) {
      const seen = await database.query<{ n: number; locks: number; old: number; busy: number }>(
        `SELECT count(*)::int AS n,
           count(*) FILTER (WHERE wait_event_type = 'Lock' OR pid IN (SELECT pid FROM pg_locks WHERE NOT granted))::int AS locks,
           count(*) FILTER (WHERE clock_timestamp() - xact_start > interval '0.5 s')::int AS old,
           count(*) FILTER (WHERE state = 'idle' AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)
             OR state LIKE 'idle in%')::int AS busy
         FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'godwit'`,
      );
      expect(seen).toEqual([{ n: 6, locks: 0, old: 0, busy: 0 }]);
      await delay(20);
    }
    await gate.open();
    expect((await holder).total).toBe(2);
    for (const { run } of waiters) expect((await run).total).toBe(0);
    expect(
      await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass"),
    ).toEqual([{ indisvalid: true }]);
    await nobodyLeft(database);
  });

  it("ends without the lock once nothing is left to do", async () => {
    // Without CONCURRENTLY, which would wait for the session that queues.
    const project = await testProject({ "1_gate.sql": files["1_gate.sql"] });
    const { database, godwit, open } = project;
    const gate = await shutGate(database);
    const holder = godwit.up();
    await gate.reached();
    // Queues for the lock and so gets it before any that polls.
    const next = await holdLock(project);
    const run = (await open()).up({ lockWaitMs: 60_000 });
    await told(run, "lock.waiting");
    await gate.open();
    await holder;
    await next.held;
    expect((await run).total).toBe(0);
  });

  it("ends in time with LOCK_BUSY that names who holds it", async () => {
    const project = await testProject(files);
    const holder = await holdLock(project);
    await holder.held;
    const began = performance.now();
    const error = await failureOf(project.godwit.up({ lockWaitMs: 700 }), "LOCK_BUSY");
    expect(performance.now() - began).toBeGreaterThan(690);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(error.message).toContain(`backend ${holder.pid}`);
    expect(error.hint).toContain("--lock-wait");
    expect(await tablesOf(project.database)).toEqual([]);
    await failureOf(project.godwit.up({ lockWaitMs: 0 }), "LOCK_BUSY");
    await holder.release();
    expect((await project.godwit.up({ lockWaitMs: 0 })).total).toBe(2);
  });

  it("comes before the files are read by their grammar, which only the one that runs them needs", async () => {
    const project = await testProject(files);
    const holder = await holdLock(project);
    await holder.held;
    await project.write({ "3_malformed.sql": "CREATE TABEL c ();\n" });
    await failureOf(project.godwit.up({ lockWaitMs: 300 }), "LOCK_BUSY");
    await holder.release();
    await failureOf(project.godwit.up({ lockWaitMs: 300 }), "MIGRATION_MALFORMED");
    expect(await tablesOf(project.database)).toEqual([]);
    await nobodyLeft(project.database);
  });

  it("names a run by its host and how long it has been at it; status names it too", async () => {
    const { database, godwit, open } = await testProject(files);
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    const other = await open({ env: { HOSTNAME: "elsewhere" } });
    const error = await failureOf(other.up({ lockWaitMs: 100 }), "LOCK_BUSY");
    const holder = (await godwitSessions(database)).find(({ name }) => name.startsWith("godwit/"));
    expect(error.message).toMatch(
      new RegExp(`backend ${holder?.pid} on \\S+ has held the lock of "default" for \\d+ s`),
    );
    expect((await other.status()).targets[0]?.lockedBy).toContain(`backend ${holder?.pid}`);
    await gate.open();
    await run;
    expect((await other.status()).targets[0]?.lockedBy).toBeNull();
  });

  it("is exit status 4 on the command line, within --lock-wait", async () => {
    const project = await testProject(files);
    const holder = await holdLock(project);
    await holder.held;
    const cli = new CliProject(
      { "migrations/1_a.sql": "CREATE TABLE a ();\n" },
      { DATABASE_URL: project.database.url },
    );
    const { exit, stderr, durationMs } = await cli.run(["up", "--lock-wait", "1s"]);
    expect(exit).toBe(4);
    expect(stderr).toContain(`backend ${holder.pid}`);
    expect(durationMs).toBeGreaterThan(1000);
    expect(durationMs).toBeLessThan(20_000);
  });

  it("ends at once when it is interrupted", async () => {
    const project = await testProject(files);
    await (
      await holdLock(project)
    ).held;
    const controller = new AbortController();
    const run = project.godwit.up({ signal: controller.signal });
    await told(run, "lock.waiting");
    const began = performance.now();
    controller.abort();
    await failureOf(run, "INTERRUPTED");
    expect(performance.now() - began).toBeLessThan(10_000);
    await nobodyLeft(project.database);
  });
});

describe("a run that finds nothing pending", () => {
  it("takes no lock: it returns at once though another session holds it for ever", async () => {
    const project = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\n",
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n",
    });
    const { godwit, database, write } = project;
    await godwit.up();
    await write({ "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;\n" });
    await godwit.up();
    const log = await database.query("SELECT * FROM godwit.migration_log");
    await (
      await holdLock(project)
    ).held;
    const began = performance.now();
    expect((await godwit.up()).total).toBe(0);
    // The text of before, as an older version of the application has it: not put back, so no work either.
    await write({ "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n" });
    expect((await godwit.up()).total).toBe(0);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await database.query("SELECT * FROM godwit.migration_log")).toEqual(log);
  });

  it("waits for nobody with the verbs that only read", async () => {
    const project = await testProject({ "1_a.sql": "CREATE TABLE a (id int);\n" });
    const { godwit } = project;
    await (
      await holdLock(project)
    ).held;
    expect((await godwit.status()).targets[0]?.lockedBy).toContain("backend");
    expect((await godwit.plan()).plans[0]?.migrations).toHaveLength(1);
    expect((await godwit.down()).total).toBe(0);
    await godwit.verify();
    await godwit.history();
    await godwit.graph();
    await godwit.repair();
  });
});

describe("locks that have nothing to do with each other", () => {
  const gated = { "1_gate.sql": `${PATIENT}CREATE TABLE gated ();\n${AT_GATE}\n` };

  it("are those of two streams of one database: they run side by side", async () => {
    const project = await testProject({});
    const godwit = await streamsOf(project, {
      slow: gated,
      quick: { "1_q.sql": "CREATE TABLE quick ();\n" },
    });
    const gate = await shutGate(project.database);
    const slow = godwit.up({ streams: ["slow"] });
    await gate.reached();
    expect((await godwit.up({ streams: ["quick"], lockWaitMs: 0 })).total).toBe(1);
    await gate.open();
    expect((await slow).total).toBe(1);
    await godwit.verify();
  });

  it("are those of two histories in one database", async () => {
    const { database, godwit, open, write, remove } = await testProject(gated);
    const gate = await shutGate(database);
    const slow = godwit.up();
    await gate.reached();
    await remove("1_gate.sql");
    await write({ "1_q.sql": "CREATE TABLE quick ();\n" });
    const other = await open({ historySchema: "other_godwit" });
    expect((await other.up({ lockWaitMs: 0 })).total).toBe(1);
    await gate.open();
    expect((await slow).total).toBe(1);
    await other.verify();
    expect(
      await database.query(
        "SELECT id FROM godwit.migrations UNION ALL SELECT id FROM other_godwit.migrations",
      ),
    ).toEqual([{ id: "1_gate" }, { id: "1_q" }]);
  });

  it("may be given back and taken again by one run, while another holds them in between", async () => {
    const project = await testProject({});
    const godwit = await streamsOf(project, {
      shared: {
        "1_a.sql": "CREATE TABLE a ();\n",
        "3_c.sql": "-- godwit:requires own/2_b\nCREATE TABLE c ();\n",
      },
      own: { "2_b.sql": `-- godwit:requires shared/1_a\n${PATIENT}CREATE TABLE b ();\n${AT_GATE}\n` },
    });
    const gate = await shutGate(project.database);
    const run = godwit.up();
    await gate.reached();
    await writeFiles(join(project.root, "shared"), { "9_manual.sql": "CREATE TABLE manual ();\n" });
    const began = performance.now();
    await godwit.repair({
      streams: ["shared"],
      action: "mark-applied",
      ids: ["9_manual"],
      reason: "by hand",
    });
    expect(performance.now() - began).toBeLessThan(20_000);
    await gate.open();
    expect((await run).total).toBe(3);
    await godwit.verify();
  });
});
