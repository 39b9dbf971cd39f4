import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { conflictingHolders } from "../../../src/execute/locks/conflicting-holders.ts";
import { withObjectLocks } from "../../../src/execute/locks/plan-locks.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { openSession, type Session } from "../../../src/postgres/session.ts";
import { createDatabase, createRole, startServer, testDatabase } from "../../support/postgres.ts";
import { testProject } from "../../support/project.ts";
import { testClient } from "./gate.ts";

async function sessionTo(url: string): Promise<Session> {
  return openSession(await resolveConnection({ conninfo: url }, {}), { applicationName: "probe" });
}

describe("who is in the way of a lock", () => {
  it("is told by mode, oldest transaction first, with what it does", async () => {
    const database = await testDatabase();
    await database.query("CREATE TABLE t (id int)");
    const [row] = await database.query<{ oid: number }>("SELECT 't'::regclass::oid::int AS oid");
    const { oid } = row!;
    const reader = await testClient(database.url);
    await reader.query("BEGIN; SELECT FROM t");
    await delay(50);
    const writer = await testClient(database.url);
    await writer.query("BEGIN; INSERT INTO t VALUES (1) ;\n");
    const session = await sessionTo(database.url);
    const who = async (mode: "SHARE" | "ACCESS EXCLUSIVE" | "ROW SHARE"): Promise<string[]> =>
      (await conflictingHolders(session, [{ oid, mode }])).map((holder) => holder.who.replace(/\d+/, "N"));
    expect(await who("ROW SHARE")).toEqual([]);
    expect(await who("SHARE")).toEqual(["backend N (test): BEGIN; INSERT INTO t VALUES (1)"]);
    expect(await who("ACCESS EXCLUSIVE")).toEqual([
      "backend N (test): BEGIN; SELECT FROM t",
      "backend N (test): BEGIN; INSERT INTO t VALUES (1)",
    ]);
    const [first] = await conflictingHolders(session, [{ oid, mode: "ACCESS EXCLUSIVE" }]);
    expect(first).toMatchObject({ oid, state: "idle in transaction", givesWayAfterMs: null });
    expect(first!.ageMs).toBeGreaterThanOrEqual(50);
    await session.query("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE");
    expect(await who("ROW SHARE")).toEqual([]);
    session.close();
  });

  it("may be a prepared transaction, which has no session", async () => {
    const server = await startServer({ settings: { max_prepared_transactions: "2" } });
    try {
      const database = await createDatabase({ server: server.conninfo });
      await database.query("CREATE TABLE t (id int)");
      await database.query("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left over'");
      const [row] = await database.query<{ oid: number }>("SELECT 't'::regclass::oid::int AS oid");
      const session = await sessionTo(database.url);
      const holders = await conflictingHolders(session, [{ oid: row!.oid, mode: "SHARE" }]);
      expect(holders).toMatchObject([{ pid: null, who: "prepared transaction 'left over'" }]);
      session.close();
    } finally {
      await server.stop();
    }
  });

  it("is told to a role that may not see what others do", async () => {
    const database = await testDatabase();
    const role = await createRole();
    await database.query("CREATE TABLE t (id int)");
    const [row] = await database.query<{ oid: number }>("SELECT 't'::regclass::oid::int AS oid");
    const reader = await testClient(database.url);
    await reader.query("BEGIN; SELECT FROM t;");
    const session = await sessionTo(role.urlFor(database.url));
    const [holder] = await conflictingHolders(session, [{ oid: row!.oid, mode: "ACCESS EXCLUSIVE" }]);
    expect(holder).toMatchObject({ ageMs: null, state: null, givesWayAfterMs: null });
    expect(holder!.who).toMatch(/^backend \d+ \(test\): its query is hidden from this role$/);
    session.close();
    await role.drop();
  });
});

describe("the locks of a plan", () => {
  it("are those of the live catalog: partitions, the other end of a key, nothing that the plan makes", async () => {
    const { database, godwit } = await testProject({
      "1_a.sql":
        "CREATE TABLE n (id int REFERENCES r);\nALTER TABLE n ADD COLUMN x int;\nALTER TABLE app.pt ADD COLUMN x int;\n" +
        'CREATE INDEX ON "R 2" (id);\nSELECT my();\nSET search_path = app;\nALTER TABLE pt ADD COLUMN y int;\n',
      "2_b.sql": "DROP TABLE r;\nUPDATE missing SET x = 1;\n",
    });
    await database.query(`CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE "R 2" (id int); CREATE SCHEMA app;
      CREATE TABLE app.pt (id int) PARTITION BY RANGE (id); CREATE TABLE app.pt1 PARTITION OF app.pt DEFAULT`);
    const { plans } = await godwit.plan();
    const shown = plans[0]!.migrations.flatMap(({ steps }) =>
      steps.flatMap((step) =>
        (step.kind === "transaction" ? step.statements : []).map(({ locks }) =>
          locks.objects!.map(({ blocks, mode, name, schema }) => `${schema}.${name} ${mode}: ${blocks}`),
        ),
      ),
    );
    expect(shown).toEqual([
      ["public.r SHARE ROW EXCLUSIVE: writes"],
      [],
      ["app.pt ACCESS EXCLUSIVE: reads and writes", "app.pt1 ACCESS EXCLUSIVE: reads and writes"],
      ["public.R 2 SHARE: writes"],
      [],
      [],
      [],
      ["public.r ACCESS EXCLUSIVE: reads and writes"],
      [],
    ]);
  });

  it("are left out where the role may not look names up", async () => {
    const { database, godwit } = await testProject({ "1_a.sql": "ALTER TABLE app.t ADD COLUMN x int;\n" });
    const role = await createRole();
    await database.query("CREATE SCHEMA app; CREATE TABLE app.t (id int)");
    const [plan] = (await godwit.plan()).plans;
    const session = await sessionTo(role.urlFor(database.url));
    expect(await withObjectLocks(session, null, plan!)).toBe(plan);
    expect(await session.rows("SELECT 1 AS works")).toHaveLength(1);
    session.close();
    await role.drop();
  });
});
