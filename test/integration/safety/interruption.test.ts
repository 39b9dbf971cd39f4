import { describe, expect, it } from "vitest";
import { GodwitError } from "../../../src/core/error.ts";
import { advisoryKey } from "../../../src/lock/key.ts";
import { Project } from "../../e2e/cli-harness.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { failureOf, historyOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { nobodyLeft, testClient } from "./gate.ts";

const KEY = advisoryKey({ schema: "godwit", stream: "default", targetSchema: "" });

async function running(database: TestDatabase, like: string): Promise<void> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
    AND pid <> pg_backend_pid() AND query LIKE $1`;
  await expect.poll(() => database.query(sql, [like]), { timeout: 20_000 }).toHaveLength(1);
}

/** Nothing of Godwit runs, waits or holds anything any more. */
async function expectNothingLeft(database: TestDatabase): Promise<void> {
  await nobodyLeft(database);
  expect(await database.query(`SELECT pg_try_advisory_lock(${KEY}) AS free`)).toEqual([{ free: true }]);
}

/** Where a run can be struck: how to get there, what is left of it, and what lets the next run pass. */
const MOMENTS: readonly {
  readonly moment: string;
  readonly slow: string;
  readonly quick: string;
  readonly at: string;
  readonly left: readonly string[];
  readonly state: string;
  readonly setUp?: string;
  readonly blocked?: string;
}[] = [
  {
    moment: "a long statement",
    slow: "CREATE TABLE half ();\nSELECT pg_sleep(60);\n",
    quick: "CREATE TABLE half ();\n",
    at: "SELECT pg_sleep(60)%",
    left: ["first"],
    state: "2_slow: pending",
  },
  {
    moment: "many statements that are under way at once",
    slow: `CREATE TABLE half ();\nSELECT pg_sleep(60);\n${"SELECT pg_sleep(61);\n".repeat(40)}`,
    quick: "CREATE TABLE half ();\n",
    at: "SELECT pg_sleep(60)%",
    left: ["first"],
    state: "2_slow: pending",
  },
  {
    moment: "the wait for a lock on an object",
    slow: "-- godwit:lock_timeout 1h\nCREATE TABLE half ();\nINSERT INTO busy DEFAULT VALUES;\n",
    quick: "CREATE TABLE half ();\n",
    at: "INSERT INTO busy%",
    left: ["busy", "first"],
    state: "2_slow: pending",
    setUp: "CREATE TABLE busy ()",
    blocked: "LOCK TABLE busy",
  },
  {
    moment: "CREATE INDEX CONCURRENTLY",
    slow: "CREATE TABLE half (id int);\nCREATE INDEX CONCURRENTLY busy_n ON busy (n);\nCREATE TABLE rest ();\n",
    quick:
      "CREATE TABLE half (id int);\nCREATE INDEX CONCURRENTLY busy_n ON busy (n);\nCREATE TABLE rest ();\n",
    at: "CREATE INDEX CONCURRENTLY%",
    left: ["busy", "first", "half"],
    state: "2_slow: half_applied",
    setUp: "CREATE TABLE busy (n int)",
    blocked: "INSERT INTO busy VALUES (1)",
  },
];

describe.each(MOMENTS)("in the middle of $moment", ({ slow, quick, at, left, state, setUp, blocked }) => {
  async function started(): Promise<{ database: TestDatabase; unblock: () => Promise<unknown> }> {
    const database = await testDatabase();
    if (setUp !== undefined) await database.query(setUp);
    const blocker = await testClient(database.url);
    if (blocked !== undefined) await blocker.query(`BEGIN; ${blocked}`);
    return { database, unblock: () => blocker.query("COMMIT") };
  }

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["--timeout", 1],
  ] as const)(
    "%s ends the statement in the server, gives the lock back and exits with %i",
    async (how, status) => {
      const { database, unblock } = await started();
      const project = new Project(
        { "migrations/1_first.sql": "CREATE TABLE first ();\n", "migrations/2_slow.sql": slow },
        { DATABASE_URL: database.url },
      );
      expect((await project.run(["up", "--step", "1"])).exit).toBe(0);
      const cli = project.start(how === "--timeout" ? ["up", "--timeout", "2s"] : ["up"]);
      await running(database, at);
      const began = performance.now();
      if (how !== "--timeout") cli.child.kill(how);
      const finished = await cli.finished;
      expect([finished.exit, finished.signal], finished.stderr).toEqual([status, null]);
      // The statement would wait for ever; a machine that is busy with other tests may take its time.
      expect(performance.now() - began).toBeLessThan(10_000);
      await expectNothingLeft(database);
      expect(await tablesOf(database)).toEqual(left);

      await unblock();
      project.write({ "migrations/2_slow.sql": quick });
      const next = await project.run(["up"]);
      expect(next.exit, next.stderr).toBe(0);
      expect(await historyOf(database)).toMatchObject([
        { id: "1_first" },
        { id: "2_slow", status: "completed" },
      ]);
      expect((await project.run(["verify"])).exit).toBe(0);
    },
  );

  it("an AbortSignal does the same to the library, with the reason that it carries", async () => {
    const { database, unblock } = await started();
    const { godwit, write } = await testProject(
      { "1_first.sql": "CREATE TABLE first ();\n", "2_slow.sql": slow },
      { database },
    );
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    await running(database, at);
    const began = performance.now();
    controller.abort(new Error("no more"));
    const error = await failureOf(run, "INTERRUPTED");
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(error.cause).toMatchObject({ message: "no more" });
    expect(error.result).toMatchObject({ total: 1 });
    await expectNothingLeft(database);
    expect(await statesOf(godwit)).toEqual(["1_first: applied", state]);
    await unblock();
    await write({ "2_slow.sql": quick });
    expect((await godwit.up()).total).toBe(1);
    await godwit.verify();
  });
});

describe("an interruption", () => {
  it("carries the reason of the caller if that is an error of Godwit", async () => {
    const { godwit } = await testProject({ "1_slow.sql": "SELECT pg_sleep(60);\n" });
    const controller = new AbortController();
    const reason = new GodwitError("TERMINATED", "the pod goes away");
    setTimeout(() => controller.abort(reason), 300);
    const error = await failureOf(godwit.up({ signal: controller.signal }), "TERMINATED");
    expect(error.message).toBe("the pod goes away");
  });

  it("before anything began changes nothing", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "CREATE TABLE a ();\n" });
    await failureOf(godwit.up({ signal: AbortSignal.abort() }), "INTERRUPTED");
    expect(await tablesOf(database)).toEqual([]);
    await expectNothingLeft(database);
  });

  it("reaches code that waits for something else, and takes back what it did", async () => {
    const { godwit, database } = await testProject({
      "1_code.mjs": `import { setTimeout } from "node:timers/promises";
export async function up(db) {
  await db.query("CREATE TABLE half ()");
  await setTimeout(60_000, undefined, { signal: db.signal });
}
`,
    });
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    await expect
      .poll(
        () =>
          database.query(
            "SELECT FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
          ),
        { timeout: 10_000 },
      )
      .toHaveLength(1);
    controller.abort();
    await failureOf(run, "INTERRUPTED");
    expect(await tablesOf(database)).toEqual([]);
    await expectNothingLeft(database);
  });

  it("in the middle of a way down leaves the migration applied", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\nSELECT pg_sleep(60);\n",
    });
    await godwit.up();
    const run = godwit.down({ timeoutMs: 600 });
    await failureOf(run, "TIMEOUT");
    expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
    expect(await tablesOf(database)).toEqual(["a"]);
    await expectNothingLeft(database);
  });

  it("in the first step of a way down of several leaves the migration applied, and down begins anew", async () => {
    const down = (sleep: string): string =>
      `-- migrate:up\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n-- migrate:down\nDELETE FROM a${sleep};\nDROP INDEX CONCURRENTLY i;\nDROP TABLE a;\n`;
    const { godwit, database } = await testProject({
      "0_before.sql": "-- migrate:up\nCREATE TABLE before_it ();\n-- migrate:down\nDROP TABLE before_it;\n",
      "1_a.sql": down(" WHERE (SELECT pg_sleep(n) FROM nap) IS NOT NULL"),
    });
    await database.query("CREATE TABLE nap AS SELECT 60 AS n");
    await godwit.up();
    await database.query("INSERT INTO a VALUES (1)");
    await failureOf(godwit.down({ timeoutMs: 700 }), "TIMEOUT");
    expect(await statesOf(godwit)).toEqual(["0_before: applied", "1_a: applied"]);
    expect((await godwit.up()).total).toBe(0);
    await database.query("UPDATE nap SET n = 0");
    expect((await godwit.down()).total).toBe(1);
    expect(await tablesOf(database)).toEqual(["before_it", "nap"]);
    await godwit.verify();
  });

  it(
    "at any moment of many small migrations leaves nothing applied twice and nothing failed",
    { timeout: 120_000 },
    async () => {
      const files = Object.fromEntries(
        Array.from({ length: 40 }, (_, n) => [
          `${100 + n}_t.sql`,
          n % 3 === 0
            ? `CREATE TABLE t${n} (id int);\nCREATE INDEX CONCURRENTLY i${n} ON t${n} (id);\n`
            : `CREATE TABLE t${n} (id int);\n`,
        ]),
      );
      const { godwit, database } = await testProject(files);
      let interrupted = 0;
      for (let turn = 0; turn < 200; turn++) {
        const controller = new AbortController();
        const run = godwit.up({ signal: controller.signal });
        let seen = 0;
        for await (const event of run) {
          if (!event.type.startsWith("statement.") && !event.type.startsWith("migration.")) continue;
          // Each turn strikes a little later than the one before, between two events.
          if (++seen === 1 + (turn % 7)) setTimeout(() => controller.abort(), (turn % 5) * 0.7);
        }
        const outcome = await run.result.then(
          () => "done",
          (error: GodwitError) => error.code,
        );
        if (outcome === "done") break;
        expect(outcome).toBe("INTERRUPTED");
        interrupted += 1;
        expect(
          await database
            .query(
              "SELECT id, error FROM godwit.migrations WHERE error IS NOT NULL AND error->>'message' <> 'interrupted'",
            )
            .catch(() => []),
        ).toEqual([]);
      }
      expect(interrupted).toBeGreaterThan(5);
      expect((await historyOf(database)).map(({ status }) => status)).toEqual(
        Array.from({ length: 40 }, () => "completed"),
      );
      expect(await tablesOf(database)).toHaveLength(40);
      expect(
        await database.query(
          "SELECT migration_id FROM godwit.migration_log WHERE event = 'migration.applied' GROUP BY 1 HAVING count(*) <> 1",
        ),
      ).toEqual([]);
      await godwit.verify();
      await nobodyLeft(database);
    },
  );
});
