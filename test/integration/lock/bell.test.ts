import { onTestFinished, describe, expect, it } from "vitest";
import { Bell, ringBell } from "../../../src/lock/bell.ts";
import { lockChannel, type LockScope } from "../../../src/lock/key.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { openSession, type Session } from "../../../src/postgres/session.ts";
import { testDatabase } from "../../support/postgres.ts";
import { eventsOf, failureOf, testProject } from "../../support/project.ts";
import { AT_GATE, PATIENT, shutGate } from "../safety/gate.ts";

const SCOPE: LockScope = { schema: "godwit", stream: "default", targetSchema: "" };
/** Longer than any test lasts: who hears nothing before is told by the limit of the test. */
const FOR_EVER = 3_600_000;

async function sessions(): Promise<[Session, Session]> {
  const database = await testDatabase();
  const settings = await resolveConnection({ conninfo: database.url }, {});
  const both = [1, 2].map((number) => openSession(settings, { applicationName: `bell ${number}` }));
  const [one, other] = await Promise.all(both);
  onTestFinished(() => [one!, other!].forEach((session) => session.close()));
  return [one!, other!];
}

describe("the bell of a lock", () => {
  it("is heard at once, also when it rang before anybody waited for it", async () => {
    const [waiter, holder] = await sessions();
    const bell = new Bell(waiter, SCOPE);
    bell.listen();
    await bell.ready();
    expect(bell.listening).toBe(true);
    const heard = bell.rung(FOR_EVER, undefined);
    await ringBell(holder, SCOPE);
    expect(await heard).toBe(true);
    await ringBell(holder, SCOPE);
    await expect.poll(() => waiter.rows("SELECT 1").then(() => bell.rung(0, undefined))).toBe(true);
    expect(await bell.rung(1, undefined)).toBe(false);
  });

  it("is another one for each lock, and is heard no longer once the lock is ours", async () => {
    const [waiter, holder] = await sessions();
    const bell = new Bell(waiter, SCOPE);
    bell.listen();
    await bell.ready();
    await ringBell(holder, { ...SCOPE, stream: "other" });
    await ringBell(holder, { ...SCOPE, schema: "other" });
    await waiter.rows("SELECT 1");
    expect(await bell.rung(50, undefined)).toBe(false);
    const listening = "SELECT pg_catalog.pg_listening_channels() AS channel";
    expect(await waiter.rows(listening)).toEqual([{ channel: lockChannel(SCOPE) }]);
    await bell.stop();
    expect(await waiter.rows(listening)).toEqual([]);
  });

  it("ends with the signal's reason", async () => {
    const [waiter] = await sessions();
    const bell = new Bell(waiter, SCOPE);
    bell.listen();
    await bell.ready();
    const aborting = new AbortController();
    const waiting = bell.rung(FOR_EVER, aborting.signal);
    aborting.abort();
    await expect(waiting).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

it("wakes who waits, which then finds everything done and never has the lock", async () => {
  const database = await testDatabase();
  const files = { "1_gate.sql": `${PATIENT}${AT_GATE}\n` };
  const [one, other] = [await testProject(files, { database }), await testProject(files, { database })];
  const gate = await shutGate(database);
  const holding = one.godwit.up();
  await gate.reached();
  const waiting = other.godwit.up();
  const asleep = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND application_name = 'godwit' AND query LIKE '%try_advisory_lock%'`;
  await expect.poll(() => database.query(asleep)).toEqual([{ n: 1 }]);
  await gate.open();
  expect((await holding).targets[0]).toMatchObject({ error: null });
  expect(await waiting).toMatchObject({ targets: [{ migrations: [], error: null }] });
  const [lock] = await database.query("SELECT token::int FROM godwit.migration_locks");
  expect(lock).toEqual({ token: 1 });
});

it("lets who has waited for a moment go on with what the holder has left", async () => {
  const database = await testDatabase();
  const files = { "1_a.sql": "CREATE TABLE a ();\n", "2_gate.sql": `${PATIENT}${AT_GATE}\nSELECT 1/0;\n` };
  const [one, other] = [await testProject(files, { database }), await testProject(files, { database })];
  const gate = await shutGate(database);
  const holding = one.godwit.up();
  await gate.reached();
  await other.write({ "2_gate.sql": "CREATE TABLE b ();\n" });
  const waiting = other.godwit.up();
  const started = eventsOf(waiting, "migration.started");
  const asleep = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND application_name = 'godwit' AND query LIKE '%try_advisory_lock%'`;
  await expect.poll(() => database.query(asleep)).toEqual([{ n: 1 }]);
  await gate.open();
  await failureOf(holding, "MIGRATION_FAILED");
  expect(await waiting).toMatchObject({ targets: [{ migrations: [{ id: "2_gate" }], error: null }] });
  expect((await started).map(({ id, index, total }) => [id, index, total])).toEqual([["2_gate", 1, 1]]);
});
