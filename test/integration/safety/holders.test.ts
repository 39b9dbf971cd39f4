import { describe, expect, it } from "vitest";
import type { GodwitEvent } from "../../../src/index.ts";
import { waitForOthers } from "../../../src/execute/half-done/holders.ts";
import type { Scene } from "../../../src/execute/half-done/kind.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { openSession } from "../../../src/postgres/session.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { failureOf } from "../../support/project.ts";
import { testClient } from "./gate.ts";

/** Waits for whoever is at work on the table `t`, and collects whom it tells of. */
async function waited(
  database: TestDatabase,
  patientTimeoutMs: number,
): Promise<{ readonly run: Promise<boolean>; readonly told: string[] }> {
  const settings = await resolveConnection({ conninfo: database.url }, {});
  const session = await openSession(settings, { applicationName: "test waits" });
  const told: string[] = [];
  const emit = (event: GodwitEvent): void => {
    if (event.type === "statement.progress") told.push(event.waitingFor ?? "");
  };
  const scene = {
    context: {
      session,
      emit,
      target: "default",
      signal: undefined,
      courtesy: { settings: { patientTimeoutMs } },
    },
    planned: { id: "1_a", direction: "up" },
    statement: { ordinal: 1 },
  } as unknown as Scene;
  const [row] = await session.rows("SELECT 't'::regclass::oid AS oid");
  const run = waitForOthers(scene, row?.oid ?? "", "index i is not valid");
  run.catch(() => undefined).finally(() => session.close());
  return { run, told };
}

async function withTable(): Promise<TestDatabase> {
  const database = await testDatabase();
  await database.query("CREATE TABLE t (id int); CREATE TABLE u (id int)");
  return database;
}

describe("who is at work on a table", () => {
  it.each([
    ["builds an index", "CREATE INDEX i ON t (id)"],
    ["validates a constraint", "LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"],
    ["alters it", "ALTER TABLE t ADD COLUMN n int"],
  ])("is waited for: it %s", async (_what, sql) => {
    const database = await withTable();
    const other = await testClient(database.url);
    await other.query(`BEGIN; ${sql}`);
    const { run, told } = await waited(database, 30_000);
    await expect.poll(() => told, { timeout: 10_000 }).not.toEqual([]);
    expect(told[0]).toContain("(test)");
    await other.query("COMMIT");
    expect(await run).toBe(true);
  });

  it.each([
    ["reads", "SELECT FROM t"],
    ["writes", "INSERT INTO t VALUES (1)"],
    ["works on another table", "LOCK TABLE u"],
  ])("is not who %s", async (_what, sql) => {
    const database = await withTable();
    const other = await testClient(database.url);
    await other.query(`BEGIN; ${sql}`);
    const { run, told } = await waited(database, 30_000);
    expect([await run, told]).toEqual([false, []]);
  });

  it("is waited for for as long as it takes where no limit is set", async () => {
    const database = await withTable();
    const other = await testClient(database.url);
    await other.query("BEGIN; LOCK TABLE t");
    const { run, told } = await waited(database, 0);
    await expect.poll(() => told.length, { timeout: 15_000 }).toBeGreaterThan(1);
    await other.query("COMMIT");
    expect(await run).toBe(true);
  });

  it("is not waited for for longer than what is patient may take, and is named then", async () => {
    const database = await withTable();
    const other = await testClient(database.url);
    await other.query("BEGIN; LOCK TABLE t");
    const { run } = await waited(database, 300);
    const error = await failureOf(run, "OBJECT_LOCK_TIMEOUT");
    expect(error.message).toBe(
      "1_a: index i is not valid, and another session is still at work on its table",
    );
    expect(error.detail).toContain("LOCK TABLE t");
    expect(error.hint).toContain("godwit up --patient-timeout 4h");
  });
});
