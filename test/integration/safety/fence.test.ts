import { describe, expect, it } from "vitest";
import {
  eventsOf,
  failureOf,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";
import { AT_GATE, PATIENT, shutGate, testClient } from "./gate.ts";

const RAISE = "UPDATE godwit.migration_locks SET token = token + 1";
const GATED = { "1_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\nCREATE TABLE b ();\n` };

describe("a holder whose lock was taken over", () => {
  it.each([
    ["the token was raised", RAISE],
    ["another run owns the token", "UPDATE godwit.migration_locks SET owner = gen_random_uuid()"],
    ["the row is gone", "DELETE FROM godwit.migration_locks"],
  ])("commits nothing: %s between its statements", async (_, sql) => {
    const { database, godwit } = await testProject(GATED);
    const gate = await shutGate(database);
    const run = godwit.up({ reconnectWaitMs: 0 });
    await gate.reached();
    const log = await database.query("SELECT * FROM godwit.migration_log");
    await database.query(sql);
    await gate.open();
    const error = await failureOf(run, "LOCK_LOST");
    expect(error.hint).toContain("godwit status");
    expect(await tablesOf(database)).toEqual([]);
    expect(await historyOf(database)).toEqual([]);
    expect(await database.query("SELECT * FROM godwit.migration_log")).toEqual(log);
    if (sql === RAISE) expect((await godwit.up()).total).toBe(1);
  });

  it("commits nothing though its own code did it", async () => {
    const { database, godwit, remove, write } = await testProject({
      "1_code.mjs": `export async function up(db) { await db.query("CREATE TABLE a ()"); await db.query("${RAISE}"); }\n`,
    });
    await failureOf(godwit.up({ reconnectWaitMs: 0 }), "LOCK_LOST");
    expect(await tablesOf(database)).toEqual([]);
    await remove("1_code.mjs");
    await write({ "1_code.mjs": 'export async function up(db) { await db.query("CREATE TABLE a ()"); }\n' });
    expect((await godwit.up()).total).toBe(1);
  });

  it("takes back what it had sent ahead of the next migrations, before any of it ran", async () => {
    const { database, godwit } = await testProject({
      ...GATED,
      "2_next.sql": "SELECT nextval('seen');\nCREATE TABLE c ();\n",
      "3_next.sql": "SELECT nextval('seen');\nCREATE TABLE d ();\n",
    });
    // A sequence remembers what was rolled back.
    await database.query("CREATE SEQUENCE seen");
    const gate = await shutGate(database);
    const run = godwit.up({ reconnectWaitMs: 0 });
    await gate.reached();
    await database.query(RAISE);
    await gate.open();
    await failureOf(run, "LOCK_LOST");
    expect(await database.query("SELECT is_called FROM seen")).toEqual([{ is_called: false }]);
    expect(await tablesOf(database)).toEqual([]);
    expect(await historyOf(database)).toEqual([]);
    expect((await godwit.up()).total).toBe(3);
    await godwit.verify();
  });

  it("keeps what it committed before, and loses what is in flight", async () => {
    const { database, godwit } = await testProject({
      "1_first.sql": "CREATE TABLE first ();\n",
      "2_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`,
      "3_last.sql": "CREATE TABLE last ();\n",
    });
    const gate = await shutGate(database);
    const run = godwit.up({ reconnectWaitMs: 0 });
    await gate.reached();
    await database.query(RAISE);
    await gate.open();
    const error = await failureOf(run, "LOCK_LOST");
    expect(error.result).toMatchObject({ total: 1 });
    expect(await tablesOf(database)).toEqual(["first"]);
    expect(await statesOf(godwit)).toEqual(["1_first: applied", "2_gate: pending", "3_last: pending"]);
    expect((await godwit.up()).total).toBe(2);
    await godwit.verify();
  });

  it("goes on by itself once it has the lock again, without what the other run did", async () => {
    const { database, godwit } = await testProject({
      "1_first.sql": "CREATE TABLE first ();\n",
      "2_gate.sql": `${PATIENT}CREATE TABLE a ();\n${AT_GATE}\n`,
      "3_last.sql": "CREATE TABLE last ();\n",
    });
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    await database.query(RAISE);
    await gate.open();
    expect(idsOf(await run)).toEqual(["1_first", "2_gate", "3_last"]);
    expect(await eventsOf(run, "target.retrying")).toMatchObject([{ id: "2_gate", code: "LOCK_LOST" }]);
    expect((await eventsOf(run, "target.resumed"))[0]?.elapsedMs).toBeLessThan(5000);
    expect(await tablesOf(database)).toEqual(["a", "first", "last"]);
    await godwit.verify();
  });

  it("leaves a stand-alone statement to the ledger and the catalog", async () => {
    const { database, godwit } = await testProject({
      "1_table.sql": "CREATE TABLE a (id int);\n",
      "2_index.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE TABLE after_it ();\n",
    });
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; INSERT INTO a VALUES (1)");
    const run = godwit.up({ reconnectWaitMs: 0 });
    await expect
      .poll(() => database.query("SELECT state FROM godwit.migration_steps"), { timeout: 10_000 })
      .toEqual([{ state: "intended" }]);
    await database.query(RAISE);
    await blocker.query("COMMIT");
    await failureOf(run, "LOCK_LOST");
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statesOf(godwit)).toEqual(["1_table: applied", "2_index: half_applied"]);
    expect((await godwit.up()).total).toBe(1);
    expect(
      await database.query(
        "SELECT count(*)::int AS n FROM pg_index WHERE indrelid = 'a'::regclass AND indisvalid",
      ),
    ).toEqual([{ n: 1 }]);
    await godwit.verify();
  });
});

describe("raising the token", () => {
  it("waits for a transaction that writes history under the token before", async () => {
    const { database, godwit, write } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await godwit.up();
    const [lock] = await database.query<{ token: string; owner: string }>(
      "SELECT token, owner FROM godwit.migration_locks",
    );
    const late = `SELECT godwit.record_change(jsonb_populate_record(NULL::godwit.history_change, jsonb_build_object(
      'lock_key', 'default', 'token', ${lock?.token}, 'run_id', '${lock?.owner}', 'stream', 'default', 'target_schema', '',
      'level', 'info', 'event', 'late', 'message', 'late', 'details', '{}'::jsonb, 'timed', false)))`;
    const writer = await testClient(database.url);
    await writer.query("BEGIN");
    await writer.query(late);
    await write({ "2_b.sql": "CREATE TABLE b ();\n" });
    const run = godwit.up();
    await expect
      .poll(
        () =>
          database.query(
            "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%migration_locks%'",
          ),
        { timeout: 10_000 },
      )
      .toEqual([{ n: 1 }]);
    await writer.query("COMMIT");
    expect((await run).total).toBe(1);
    await godwit.verify();
    await expect(writer.query(late)).rejects.toMatchObject({ code: "GW001" });
  });
});
