import { describe, expect, it } from "vitest";
import { cuttingProxy, type CutWhen } from "../../support/cutting-proxy.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import {
  eventsOf,
  failureOf,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";
import { AT_GATE, nobodyLeft, PATIENT, shutGate } from "./gate.ts";

const BOTH: readonly CutWhen[] = ["before", "after"];

/** How often each migration was applied, as the log has it. */
async function applications(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `SELECT migration_id || ' ' || count(*) AS line FROM godwit.migration_log
     WHERE event IN ('migration.applied', 'repeatable.applied') GROUP BY migration_id ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}

/** The COMMIT of a migration's transaction, which carries its entry in the history. */
const committing =
  (id: string) =>
  (sql: string): boolean =>
    sql.endsWith("COMMIT") && sql.includes(`applied ${id}`);

const FEW = {
  "1_a.sql": "CREATE TABLE a ();\n",
  "2_b.sql": "CREATE TABLE b ();\nINSERT INTO b DEFAULT VALUES;\n",
  "3_c.sql": "CREATE TABLE c ();\n",
};

describe.each(BOTH)("a connection lost during COMMIT, %s the server had it", (when) => {
  it("of a migration among a few: it is applied once, told once, and up ends well", async () => {
    const database = await testDatabase();
    const proxy = await cuttingProxy(database.url, { matches: committing("2_b"), when });
    const { godwit } = await testProject(FEW, { database, options: { database: proxy.url } });
    const run = godwit.up();
    const result = await run;
    expect(proxy.cuts).toHaveLength(1);
    expect(idsOf(result)).toEqual(["1_a", "2_b", "3_c"]);
    expect(result.targets[0]).toMatchObject({ error: null, unfinished: null });
    expect(await applications(database)).toEqual(["1_a 1", "2_b 1", "3_c 1"]);
    expect(await database.query("SELECT count(*)::int AS n FROM b")).toEqual([{ n: 1 }]);
    const finished = await eventsOf(run, "migration.finished");
    expect(finished.map(({ id, confirmedLater = false }) => [id, confirmedLater])).toEqual([
      ["1_a", false],
      ["2_b", when === "after"],
      ["3_c", false],
    ]);
    expect(await eventsOf(run, "migration.failed")).toEqual([]);
    expect(await eventsOf(run, "target.retrying")).toMatchObject([
      { id: "2_b", code: "CONNECTION_LOST", attempt: 1 },
    ]);
    expect(await eventsOf(run, "target.resumed")).toHaveLength(1);
    expect(finished.map(({ index, total }) => `${index}/${total}`)).toEqual(["1/3", "2/3", "3/3"]);
    expect(
      await database.query(
        "SELECT migration_id AS id, details->>'code' AS code FROM godwit.migration_log WHERE event = 'run.resumed'",
      ),
    ).toEqual([{ id: "2_b", code: "CONNECTION_LOST" }]);
    await godwit.verify();
    await nobodyLeft(database);
  });

  it("of the last one there is", async () => {
    const database = await testDatabase();
    const proxy = await cuttingProxy(database.url, { matches: committing("3_c"), when });
    const { godwit } = await testProject(FEW, { database, options: { database: proxy.url } });
    expect(idsOf(await godwit.up())).toEqual(["1_a", "2_b", "3_c"]);
    expect(proxy.cuts).toHaveLength(1);
    expect(await applications(database)).toEqual(["1_a 1", "2_b 1", "3_c 1"]);
    await godwit.verify();
  });

  it("of one in the middle of a bulk, with others on their way behind it", async () => {
    const ids = Array.from({ length: 60 }, (_, n) => `${100 + n}_t`);
    const files = Object.fromEntries(
      ids.map((id, n) => [`${id}.sql`, `CREATE TABLE t${n} ();\nINSERT INTO t${n} DEFAULT VALUES;\n`]),
    );
    const database = await testDatabase();
    const proxy = await cuttingProxy(database.url, { matches: committing("130_t"), when });
    const { godwit } = await testProject(files, { database, options: { database: proxy.url } });
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(ids);
    expect(proxy.cuts).toHaveLength(1);
    expect(await applications(database)).toEqual(ids.map((id) => `${id} 1`));
    expect((await eventsOf(run, "migration.finished")).map(({ id }) => id)).toEqual(ids);
    expect((await historyOf(database)).map(({ id, applied_seq }) => `${id} ${applied_seq}`)).toEqual(
      ids.map((id, n) => `${id} ${n + 1}`),
    );
    await godwit.verify();
    await nobodyLeft(database);
  });

  it("of a way down", async () => {
    const database = await testDatabase();
    const matches = (sql: string): boolean => sql.endsWith("COMMIT") && sql.includes("took back 2_b");
    const proxy = await cuttingProxy(database.url, { matches, when });
    const files = Object.fromEntries(
      ["1_a", "2_b", "3_c"].map((id) => {
        const table = id.slice(2);
        return [
          `${id}.sql`,
          `-- migrate:up\nCREATE TABLE ${table} ();\n-- migrate:down\nDROP TABLE ${table};\n`,
        ];
      }),
    );
    const { godwit } = await testProject(files, { database, options: { database: proxy.url } });
    await godwit.up();
    const result = await godwit.down({ steps: 2 });
    expect(proxy.cuts).toHaveLength(1);
    expect(idsOf(result)).toEqual(["3_c", "2_b"]);
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statesOf(godwit)).toEqual([
      "1_a: applied",
      "2_b: pending, rolled_back",
      "3_c: pending, rolled_back",
    ]);
    await godwit.verify();
  });

  it.each(["took back 2_b", "applied 2_b", "applied 3_c"])("of a redo, at %s", async (message) => {
    const database = await testDatabase();
    let again = false;
    const matches = (sql: string): boolean => again && sql.endsWith("COMMIT") && sql.includes(message);
    const proxy = await cuttingProxy(database.url, { matches, when });
    const files = Object.fromEntries(
      ["1_a", "2_b", "3_c"].map((id) => {
        const table = id.slice(2);
        return [
          `${id}.sql`,
          `-- migrate:up\nCREATE TABLE ${table} ();\n-- migrate:down\nDROP TABLE ${table};\n`,
        ];
      }),
    );
    const { godwit } = await testProject(files, { database, options: { database: proxy.url } });
    await godwit.up();
    again = true;
    const result = await godwit.redo({ steps: 2 });
    expect(proxy.cuts).toHaveLength(1);
    expect(result.targets[0]?.migrations.map(({ id, direction }) => `${direction} ${id}`)).toEqual([
      "down 3_c",
      "down 2_b",
      "up 2_b",
      "up 3_c",
    ]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied", "3_c: applied"]);
    await godwit.verify();
  });

  it("of a step of a migration of several", async () => {
    const database = await testDatabase();
    const matches = (sql: string): boolean => sql.endsWith("COMMIT") && sql.includes("step.finished");
    const proxy = await cuttingProxy(database.url, { matches, when, times: 2 });
    const { godwit } = await testProject(
      {
        "1_a.sql":
          "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nCREATE INDEX CONCURRENTLY i ON a (id);\nINSERT INTO a VALUES (2);\n",
      },
      { database, options: { database: proxy.url } },
    );
    const result = await godwit.up();
    expect(proxy.cuts).toHaveLength(2);
    expect(idsOf(result)).toEqual(["1_a"]);
    expect(result.targets[0]?.unfinished).toBeNull();
    expect(await database.query("SELECT id FROM a ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await applications(database)).toEqual(["1_a 1"]);
    await godwit.verify();
    await nobodyLeft(database);
  });

  it("is a failure with --reconnect-wait 0, and the next up knows what became of it", async () => {
    const database = await testDatabase();
    const proxy = await cuttingProxy(database.url, { matches: committing("2_b"), when });
    const { godwit } = await testProject(FEW, { database, options: { database: proxy.url } });
    const run = godwit.up({ reconnectWaitMs: 0 });
    const error = await failureOf(run, "CONNECTION_LOST");
    expect(idsOf(error.result)).toEqual(["1_a"]);
    expect(await eventsOf(run, "migration.failed")).toHaveLength(1);
    await nobodyLeft(database);
    expect((await godwit.up()).total).toBe(when === "after" ? 1 : 2);
    expect(await applications(database)).toEqual(["1_a 1", "2_b 1", "3_c 1"]);
  });
});

describe("a connection lost before anything was begun", () => {
  it.each([
    ["while the history is read", (sql: string) => sql.includes("pg_is_in_recovery")],
    ["while the history is made", (sql: string) => sql.includes("CREATE SCHEMA godwit")],
    ["while the history is committed", (sql: string) => sql === "COMMIT"],
    ["while the lock is asked for", (sql: string) => sql.includes("pg_try_advisory_lock")],
    ["while the token is raised", (sql: string) => /INSERT INTO \S*migration_locks/.test(sql)],
    ["while the session is set up", (sql: string) => sql.includes("SET application_name")],
    ["while the start of the run is recorded", (sql: string) => sql.includes("holds the lock")],
  ])("%s: up goes on", async (_, matches) => {
    for (const when of BOTH) {
      const database = await testDatabase();
      const proxy = await cuttingProxy(database.url, { matches, when });
      const { godwit } = await testProject(FEW, { database, options: { database: proxy.url } });
      const result = await godwit.up();
      expect(proxy.cuts, when).toHaveLength(1);
      expect(idsOf(result), when).toEqual(["1_a", "2_b", "3_c"]);
      expect(await applications(database), when).toEqual(["1_a 1", "2_b 1", "3_c 1"]);
      await godwit.verify();
      await nobodyLeft(database);
    }
  });

  it("again and again: up ends after some attempts", async () => {
    const database = await testDatabase();
    const matches = (sql: string): boolean => sql.includes("pg_is_in_recovery");
    const proxy = await cuttingProxy(database.url, { matches, when: "before", times: 1000 });
    const { godwit } = await testProject(FEW, { database, options: { database: proxy.url } });
    await failureOf(godwit.up(), "CONNECTION_LOST");
    expect(proxy.cuts).toHaveLength(5);
  });
});

describe("a connection lost behind the last migration", () => {
  it.each([
    ["while the end of the run is recorded", (sql: string) => sql.includes("up completed")],
    ["while the lock is given back", (sql: string) => sql.includes("pg_advisory_unlock")],
  ])("%s: up ends well", async (_, matches) => {
    for (const when of BOTH) {
      const database = await testDatabase();
      const proxy = await cuttingProxy(database.url, { matches, when });
      const { godwit } = await testProject(FEW, { database, options: { database: proxy.url } });
      expect(idsOf(await godwit.up()), when).toEqual(["1_a", "2_b", "3_c"]);
      expect(proxy.cuts, when).toHaveLength(1);
      expect(await applications(database), when).toEqual(["1_a 1", "2_b 1", "3_c 1"]);
      await nobodyLeft(database);
    }
  });
});

it("tries a transaction again that a serialization failure rolled back", async () => {
  const { database, godwit } = await testProject({
    "1_t.sql": "CREATE TABLE t (n int);\nINSERT INTO t VALUES (1);\n",
    "2_gate.sql": `${PATIENT}SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM t;
${AT_GATE}
UPDATE t SET n = n * 10;
`,
  });
  await godwit.up({ steps: 1 });
  const gate = await shutGate(database);
  const run = godwit.up();
  await gate.reached();
  await database.query("UPDATE t SET n = n + 1");
  await gate.open();
  expect(idsOf(await run)).toEqual(["2_gate"]);
  expect(await database.query("SELECT n FROM t")).toEqual([{ n: 20 }]);
  expect(await eventsOf(run, "migration.retrying")).toMatchObject([{ reason: "serialization failure" }]);
  expect(await eventsOf(run, "target.retrying")).toEqual([]);
});
