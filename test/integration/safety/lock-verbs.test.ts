import { describe, expect, it, onTestFinished } from "vitest";
import { forcedOut } from "../../../src/history/forced-release.ts";
import { createGodwit, type Godwit } from "../../../src/index.ts";
import { advisoryKey } from "../../../src/lock/key.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { openSession } from "../../../src/postgres/session.ts";
import { Project, type RunningCli } from "../../e2e/cli-harness.ts";
import { createRole, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { failureOf, hasHistory, historyOf, tablesOf, testProject } from "../../support/project.ts";
import { AT_GATE, nobodyLeft, PATIENT, shutGate, testClient, type Gate } from "./gate.ts";

const SCOPE = { schema: "godwit", stream: "default", targetSchema: "" };
const REASON = "its machine hangs";
/** What the holder ends with. */
const FORCED_OUT = /error\[LOCK_LOST\]: \S+@\S+ took Godwit's lock from this run by force: its machine hangs/;

/** What a run applies: one migration, and then one that waits at the gate in its transaction. */
const GATED = {
  "migrations/1_a.sql": "CREATE TABLE a (id int);\n",
  "migrations/2_gate.sql": `${PATIENT}CREATE TABLE gated ();\n${AT_GATE}\n`,
  "migrations/3_c.sql": "CREATE TABLE c ();\n",
};

interface Held {
  readonly database: TestDatabase;
  readonly project: Project;
  /** The process that holds the lock. */
  readonly holder: RunningCli;
  readonly gate: Gate;
  /** For the same files and database. */
  readonly godwit: Godwit;
}

/** Starts a process that holds the lock and waits at the gate. */
async function held(files: Readonly<Record<string, string>> = GATED): Promise<Held> {
  const database = await testDatabase();
  const project = new Project(files, { DATABASE_URL: database.url });
  const gate = await shutGate(database);
  const holder = project.start(["up"]);
  await gate.reached();
  const godwit = await createGodwit({ cwd: project.folder, env: { DATABASE_URL: database.url } });
  return { database, project, holder, gate, godwit };
}

async function killed({ holder }: Held): Promise<void> {
  holder.child.kill("SIGKILL");
  expect((await holder.finished).signal).toBe("SIGKILL");
}

async function statusOf(godwit: Godwit) {
  return (await godwit.lockStatus()).targets[0]!;
}

async function logOf(database: TestDatabase, event: string) {
  return database.query<{
    message: string;
    details: Record<string, unknown>;
    command: string;
    db_user: string;
  }>(
    `SELECT message, details, command, db_user FROM godwit.migration_log JOIN godwit.runs USING (run_id) WHERE event = $1 ORDER BY seq`,
    [event],
  );
}

describe("lock status", () => {
  it("is free without a history, and creates none", async () => {
    const { godwit, database } = await testProject({});
    expect(await statusOf(godwit)).toMatchObject({
      holding: "free",
      holder: null,
      provider: null,
      token: null,
    });
    expect(await hasHistory(database)).toBe(false);
  });

  it("is free after a run, with the token that it had", async () => {
    const { godwit } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    expect(await statusOf(godwit)).toMatchObject({ holding: "free", holder: null, token: 1 });
  });

  it("shows a holder: who, since when, what it runs, what it waits for, how far it is", async () => {
    const { godwit, gate, holder, database } = await held();
    const [session] = await database.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'godwit/%'",
    );
    const seen = await statusOf(godwit);
    expect(seen).toMatchObject({
      target: "default",
      holding: "held",
      provider: "advisory",
      token: 1,
      holder: {
        runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        command: "up",
        osUser: expect.any(String),
        host: expect.any(String),
        backendPid: session!.pid,
        expiresAt: null,
        activity: {
          pid: session!.pid,
          state: "active",
          query: expect.stringContaining("pg_advisory_xact_lock_shared"),
          waitsFor: [{ pid: expect.any(Number), applicationName: "test" }],
        },
        progress: { done: 1, lastDone: "1_a", remaining: 2, current: "2_gate", stepsDone: null, steps: null },
      },
      queue: [],
    });
    expect(seen.holder!.heldMs).toBeGreaterThan(0);
    expect(seen.holder!.activity!.stateMs).toBeGreaterThan(0);
    expect(Date.parse(seen.holder!.acquiredAt!)).toBeLessThan(Date.now() + 60_000);
    await gate.open();
    expect((await holder.finished).exit).toBe(0);
    expect((await statusOf(godwit)).holding).toBe("free");
  });

  it("counts the steps of a migration that has several", async () => {
    const { godwit, gate, holder } = await held({
      "migrations/1_steps.sql": `-- godwit:lock_timeout 1min\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n${AT_GATE}\n`,
    });
    expect((await statusOf(godwit)).holder!.progress).toEqual({
      done: 0,
      lastDone: null,
      remaining: 1,
      current: "1_steps",
      stepsDone: 2,
      steps: 3,
    });
    await gate.open();
    expect((await holder.finished).exit).toBe(0);
  });

  it("is stale when the holder is gone and did not give it back; the next run takes it", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    await database.query(
      "UPDATE godwit.migration_locks SET expires_at = NULL, backend_pid = 1, backend_start = now()",
    );
    expect(await statusOf(godwit)).toMatchObject({
      holding: "stale",
      because: "backend 1 is gone",
      holder: { command: "up", backendPid: 1, activity: null },
    });
  });

  it("shows who has the lock though the history does not know it", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    const other = await testClient(database.url);
    await other.query(`SELECT pg_advisory_lock(${advisoryKey(SCOPE)})`);
    const queued = await testClient(database.url);
    queued.query(`SELECT pg_advisory_lock(${advisoryKey(SCOPE)})`).catch(() => undefined);
    await expect
      .poll(async () => (await statusOf(godwit)).queue)
      .toMatchObject([{ applicationName: "test" }]);
    expect(await statusOf(godwit)).toMatchObject({
      holding: "held",
      holder: { runId: null, command: null, activity: { state: "idle" }, progress: null },
    });
  });

  it("works for a role that may only read, and tells what that role may not see", async () => {
    const { godwit, database, project, gate, holder } = await held();
    const role = await createRole();
    onTestFinished(() => role.drop([database.url]));
    await database.query(
      `GRANT USAGE ON SCHEMA godwit TO ${role.name}; GRANT SELECT ON ALL TABLES IN SCHEMA godwit TO ${role.name}`,
    );
    const url = `${role.urlFor(database.url)}?options=-c%20default_transaction_read_only%3Don`;
    const reader = await createGodwit({ cwd: project.folder, env: { DATABASE_URL: url } });
    const seen = await statusOf(reader);
    expect(seen).toMatchObject({
      holding: "held",
      holder: { command: "up", activity: { state: null, query: null } },
    });
    expect(seen.holder!.runId).toBe((await statusOf(godwit)).holder!.runId);
    await gate.open();
    await holder.finished;
  });

  it("reads a history of version 1, which has no leases", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    await database.query(`ALTER TABLE godwit.migration_locks DROP provider, DROP lease_ms, DROP database_oid, DROP earlier_pid, DROP earlier_start;
      UPDATE godwit.meta SET version = 1, min_writer = 1; UPDATE godwit.migration_locks SET expires_at = NULL`);
    expect(await statusOf(godwit)).toMatchObject({ holding: "stale", provider: "advisory" });
  });
});

describe("the row of a lease", () => {
  const LEASE = "provider = 'lease', backend_pid = NULL, lease_ms = 15000, renewed_at = clock_timestamp()";
  const HERE = "database_oid = (SELECT oid FROM pg_database WHERE datname = current_database())";

  it.each([
    [
      "good for a while",
      `${HERE}, expires_at = clock_timestamp() + interval '10 s'`,
      "held",
      /good for \d+ s more/,
    ],
    [
      "past its time",
      `${HERE}, expires_at = clock_timestamp() - interval '1 s', renewed_at = clock_timestamp() - interval '16 s'`,
      "stale",
      /expired \d+ s ago/,
    ],
    ["given back", `${HERE}, expires_at = clock_timestamp(), lease_ms = NULL`, "free", /given back/],
    [
      "from a backup",
      "database_oid = 1, expires_at = clock_timestamp() + interval '10 s'",
      "stale",
      /another database/,
    ],
    ["longer than it can be", `${HERE}, expires_at = clock_timestamp() + interval '1 h'`, "stale", /longer/],
    [
      "of a session that is gone",
      `${HERE}, expires_at = clock_timestamp() + interval '10 s', backend_pid = 1`,
      "stale",
      /backend 1 is gone/,
    ],
  ] as const)("that is %s", async (_, set, holding, because) => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    // The last assignment of a column counts.
    const columns = new Map(
      `${LEASE}, ${set}`
        .split(/, (?=\w+ = )/)
        .map((each) => each.split(" = ", 1).concat(each) as [string, string]),
    );
    await database.query(`UPDATE godwit.migration_locks SET ${[...columns.values()].join(", ")}`);
    expect(await statusOf(godwit)).toMatchObject({
      holding,
      because: expect.stringMatching(because),
      provider: "lease",
    });
  });
});

describe("lock release", () => {
  it("has nothing to do where there is no history, and after a run", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    expect(await godwit.lockRelease()).toMatchObject({ released: "nothing", endedBackends: [] });
    expect(await hasHistory(database)).toBe(false);
    await godwit.up();
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({ released: "nothing" });
    expect(await logOf(database, "lock.released_by_force")).toEqual([]);
  });

  it("refuses while the holder lives, and leaves it alone", async () => {
    const { godwit, gate, holder, database } = await held();
    const error = await failureOf(godwit.lockRelease(), "LOCK_BUSY");
    expect(error.message).toMatch(
      /^run [0-9a-f]{12} of .* \(backend \d+\) holds the lock of "default" and lives/,
    );
    expect(error.hint).toContain("godwit lock release --force --reason");
    await failureOf(godwit.lockRelease({ force: true }), "USAGE");
    await gate.open();
    expect((await holder.finished).exit).toBe(0);
    expect(await tablesOf(database)).toEqual(["a", "c", "gated"]);
  });

  it("tidies up after a holder that is gone, without force, and logs it", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    await database.query("UPDATE godwit.migration_locks SET expires_at = NULL, backend_pid = 1");
    expect(await godwit.lockRelease({ reason: REASON })).toMatchObject({ released: "tidied" });
    expect(await statusOf(godwit)).toMatchObject({ holding: "free", token: 2 });
    expect(await logOf(database, "lock.tidied")).toMatchObject([
      { command: "lock release", details: { reason: REASON, because: "backend 1 is gone" } },
    ]);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });

  it("takes the lock by force: the holder records nothing, and the next up applies exactly once", async () => {
    const { godwit, holder, database, gate } = await held();
    const before = (await statusOf(godwit)).holder!;
    const result = await godwit.lockRelease({ force: true, reason: REASON });
    expect(result).toMatchObject({
      released: "forced",
      before: { holding: "held", holder: { runId: before.runId } },
      endedBackends: [before.backendPid],
    });
    expect((await historyOf(database)).map(({ id, status }) => `${id} ${status}`)).toEqual(["1_a completed"]);
    expect(await tablesOf(database)).toEqual(["a"]);
    const { exit, stderr } = await holder.finished;
    expect(exit).toBe(4);
    expect(stderr).toMatch(FORCED_OUT);
    expect(stderr).not.toContain("going on by itself");
    expect(await logOf(database, "lock.released_by_force")).toMatchObject([
      {
        command: "lock release",
        message: expect.stringContaining(`backend ${before.backendPid}`),
        details: {
          reason: REASON,
          by: { user: expect.any(String), host: expect.any(String) },
          holder: { run_id: before.runId, host: before.host, token: 1, backends: [before.backendPid] },
        },
      },
    ]);
    expect(await database.query("SELECT command, outcome FROM godwit.runs ORDER BY started_at")).toEqual([
      { command: "up", outcome: "interrupted" },
      { command: "lock release", outcome: "completed" },
    ]);
    const session = await openSession(await resolveConnection({ conninfo: database.url }, {}), {
      applicationName: "test",
    });
    onTestFinished(() => session.close());
    expect((await forcedOut(session, SCOPE, before.runId!))?.message).toMatch(
      /^\S+@\S+ took Godwit's lock from this run by force: its machine hangs$/,
    );
    expect(await forcedOut(session, SCOPE, "00000000-0000-7000-8000-000000000000")).toBeNull();
    expect(await statusOf(godwit)).toMatchObject({
      holding: "free",
      token: 2,
      because: expect.stringMatching(/^\S+@\S+ took it by force at \d{4}-.*Z: its machine hangs$/),
    });
    await nobodyLeft(database);
    await gate.open();
    expect((await godwit.up()).total).toBe(2);
    expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_a", "2_gate", "3_c"]);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });

  it("ends the session of a process that was killed, which the server does not know yet", async () => {
    const world = await held();
    await killed(world);
    const { godwit, database } = world;
    await failureOf(godwit.lockRelease(), "LOCK_BUSY");
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({ released: "forced" });
    expect((await statusOf(godwit)).holding).toBe("free");
    await nobodyLeft(database);
  });

  it("lets a run that waits for the lock go on, and every migration is applied once", async () => {
    const { godwit, holder, database, gate, project } = await held();
    const waiter = project.start(["up"]);
    await waiter.saw("waiting for another run");
    await godwit.lockRelease({ force: true, reason: REASON });
    expect((await holder.finished).stderr).toMatch(FORCED_OUT);
    await gate.reached();
    await gate.open();
    expect((await waiter.finished).exit).toBe(0);
    expect(await tablesOf(database)).toEqual(["a", "c", "gated"]);
    expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_a", "2_gate", "3_c"]);
    expect(await statusOf(godwit)).toMatchObject({ holding: "free", token: 3 });
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });

  it("fences the holder out even where its session cannot be ended, and never holds the lock itself", async () => {
    const { godwit, holder, database, gate, project } = await held();
    const role = await createRole();
    onTestFinished(() => role.drop([database.url]));
    await database.query(
      `GRANT USAGE ON SCHEMA godwit TO ${role.name}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA godwit TO ${role.name}`,
    );
    const { backendPid } = (await statusOf(godwit)).holder!;
    const weak = await createGodwit({
      cwd: project.folder,
      env: { DATABASE_URL: role.urlFor(database.url) },
    });
    const error = await failureOf(weak.lockRelease({ force: true, reason: REASON }), "PERMISSION_DENIED");
    expect(error.message).toContain(`backend ${backendPid}; it can record nothing any more`);
    expect(error.hint).toContain(`SELECT pg_terminate_backend(${backendPid})`);
    expect(await statusOf(godwit)).toMatchObject({ holding: "held", token: 2, holder: { backendPid } });
    await gate.open();
    const { exit, stderr } = await holder.finished;
    expect(exit).toBe(4);
    expect(stderr).toMatch(FORCED_OUT);
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statusOf(godwit)).toMatchObject({
      holding: "stale",
      because: `backend ${backendPid} is gone`,
    });
    expect((await godwit.up()).total).toBe(2);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });

  it("ends a holder first that keeps the row of the lock", async () => {
    const { godwit, holder, database } = await held({
      "migrations/1_row.sql": `${PATIENT}SELECT FROM godwit.migration_locks FOR UPDATE;\n${AT_GATE}\n`,
    });
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({ released: "forced" });
    expect((await holder.finished).stderr).toMatch(FORCED_OUT);
    expect(await historyOf(database)).toEqual([]);
    expect(await logOf(database, "lock.released_by_force")).toHaveLength(1);
    expect(await statusOf(godwit)).toMatchObject({ holding: "free", token: 2 });
  });

  it("takes a run for a live one that gave its own advisory lock away", async () => {
    const { godwit, holder, database } = await held({
      "migrations/1_away.sql": `-- godwit:transaction off\nSET lock_timeout = 0;\nSELECT pg_advisory_unlock_all();\nCREATE TABLE a ();\n${AT_GATE}\n`,
    });
    expect(await statusOf(godwit)).toMatchObject({
      holding: "stale",
      because: expect.stringContaining("has lost the advisory lock"),
    });
    await failureOf(godwit.lockRelease(), "LOCK_BUSY");
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({ released: "forced" });
    expect((await holder.finished).stderr).toMatch(FORCED_OUT);
    expect((await statusOf(godwit)).holding).toBe("free");
    await nobodyLeft(database);
  });

  it("ends a session that has the lock and no history yet, and records that", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    const other = await testClient(database.url);
    await other.query(`SELECT pg_advisory_lock(${advisoryKey(SCOPE)})`);
    await failureOf(godwit.lockRelease(), "LOCK_BUSY");
    const { rows } = await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({
      released: "forced",
      endedBackends: [rows[0]!.pid],
    });
    await expect(other.query("SELECT 1")).rejects.toThrow();
    expect(await logOf(database, "lock.released_by_force")).toMatchObject([{ details: { reason: REASON } }]);
    expect((await godwit.up()).total).toBe(1);
  });

  it("knows a history of version 1, which has no leases", async () => {
    const { godwit, holder, database, gate } = await held();
    await database.query(
      `ALTER TABLE godwit.migration_locks DROP provider, DROP lease_ms, DROP database_oid, DROP earlier_pid, DROP earlier_start;
       ALTER TABLE godwit.migration_steps DROP statement_hashes; UPDATE godwit.meta SET version = 1, min_writer = 1`,
    );
    expect(await statusOf(godwit)).toMatchObject({ holding: "held", provider: "advisory" });
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({ released: "forced" });
    expect((await holder.finished).stderr).toMatch(FORCED_OUT);
    expect(await statusOf(godwit)).toMatchObject({ holding: "free", token: 2 });
    await gate.open();
    expect((await godwit.up()).total).toBe(2);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });

  it("gives back a lease of a holder that lives", async () => {
    const { godwit, holder, database } = await held();
    await database.query(
      `UPDATE godwit.migration_locks SET provider = 'lease', lease_ms = 600000, expires_at = clock_timestamp() + interval '10 min',
         database_oid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(await statusOf(godwit)).toMatchObject({ holding: "held", provider: "lease" });
    await failureOf(godwit.lockRelease(), "LOCK_BUSY");
    expect(await godwit.lockRelease({ force: true, reason: REASON })).toMatchObject({ released: "forced" });
    expect((await holder.finished).stderr).toMatch(FORCED_OUT);
    expect(await statusOf(godwit)).toMatchObject({ holding: "free", provider: "lease", token: 2 });
  });

  it("acts on one stream, and says which there are", async () => {
    const { open } = await testProject({});
    const { config } = await open();
    const [base] = config.streams;
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
    expect((await failureOf(two.lockRelease(), "USAGE")).hint).toContain("--stream a or --stream b");
    expect((await two.lockStatus()).targets.map(({ target }) => target)).toEqual(["a", "b"]);
    expect(await two.lockRelease({ streams: ["b"] })).toMatchObject({ target: "b", released: "nothing" });
  });
});
