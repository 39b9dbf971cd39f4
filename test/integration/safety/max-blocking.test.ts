import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import type { GodwitError } from "../../../src/index.ts";
import { createRole, testDatabase } from "../../support/postgres.ts";
import { eventsOf, failureOf, historyOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { nobodyLeft, testClient } from "./gate.ts";

const USERS = "CREATE TABLE users (id int PRIMARY KEY, email text);\n";
/** Takes the strongest lock and keeps it for long. */
const HOLDS = "ALTER TABLE users ADD COLUMN n int;\nSELECT pg_sleep(60);\n";

/** Reads the table again and again; how long the longest read took, in milliseconds. */
async function readUntil(client: Client, over: () => boolean): Promise<number> {
  let longest = 0;
  while (!over()) {
    const began = performance.now();
    await client.query("SELECT count(*) FROM users");
    longest = Math.max(longest, performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return longest;
}

describe("a transaction that makes others wait", () => {
  it("is cancelled at the limit, rolled back and explained, and the next up tries it again", async () => {
    const { database, godwit, write, open } = await testProject(
      { "1_users.sql": USERS },
      { options: { maxBlockingMs: 1000 } },
    );
    await godwit.up();
    await write({ "2_holds.sql": HOLDS, "3_next.sql": "CREATE TABLE next ();\n" });
    const reader = await testClient(database.url);
    let over = false;
    const reading = readUntil(reader, () => over);
    const run = godwit.up();
    const error = await failureOf(run, "BLOCKED_OTHERS");
    over = true;
    const longest = await reading;
    expect(longest).toBeGreaterThan(900);
    expect(longest).toBeLessThan(8000);
    expect(error).toMatchObject({ sqlstate: "57014", location: { line: 2, column: 1 } });
    expect(error.message).toContain("2_holds: SELECT was cancelled: backend ");
    expect(error.message).toMatch(
      /\(test\) had waited [1-5]\.\d s for it, and more than 1\.0 s is not allowed$/,
    );
    expect(error.detail).toMatch(/\(test\) waited [1-5]\.\d s for users: SELECT count\(\*\) FROM users/);
    expect(error.hint).toContain("godwit up --max-blocking 30s");
    expect(await eventsOf(run, "migration.failed")).toMatchObject([{ rolledBack: true }]);
    expect(await statesOf(godwit)).toEqual(["1_users: applied", "2_holds: failed", "3_next: pending"]);
    expect(await tablesOf(database)).toEqual(["users"]);
    await nobodyLeft(database);
    await write({ "2_holds.sql": HOLDS.replace("60", "0") });
    expect((await (await open()).up()).total).toBe(2);
    await godwit.verify();
  });

  it("is not cancelled for nobody, nor for other tools that queue with advisory locks", async () => {
    const { database, godwit } = await testProject(
      {
        "1_users.sql": USERS,
        "2_holds.sql":
          "ALTER TABLE users ADD COLUMN n int;\nSELECT pg_advisory_xact_lock(7);\nSELECT pg_sleep(2);\n",
      },
      { options: { maxBlockingMs: 200 } },
    );
    await godwit.up({ steps: 1 });
    const other = await testClient(database.url);
    const run = godwit.up();
    await expect
      .poll(() => database.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7"), {
        timeout: 20_000,
        interval: 20,
      })
      .toHaveLength(1);
    await other.query("SELECT pg_advisory_lock(7)");
    expect((await run).total).toBe(1);
  });

  it("is let go on where there is no limit", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_holds.sql": HOLDS.replace("60", "3") },
      { options: { maxBlockingMs: 0 } },
    );
    await godwit.up({ steps: 1 });
    const run = godwit.up();
    await expect
      .poll(
        () =>
          database.query(
            "SELECT FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'users'::regclass",
          ),
        { timeout: 20_000, interval: 20 },
      )
      .toHaveLength(1);
    await (await testClient(database.url)).query("SELECT FROM users");
    expect((await run).total).toBe(1);
  });

  it("counts whoever waits for a row, and whoever queues behind that one", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_rows.sql": "UPDATE users SET email = 'x';\nSELECT pg_sleep(60);\n" },
      { options: { maxBlockingMs: 1000 } },
    );
    await godwit.up({ steps: 1 });
    await database.query("INSERT INTO users VALUES (1)");
    const [first, second] = [await testClient(database.url), await testClient(database.url)];
    const failed = failureOf(godwit.up(), "BLOCKED_OTHERS");
    await expect
      .poll(
        () =>
          database.query(
            "SELECT FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 'users'::regclass",
          ),
        { timeout: 20_000, interval: 20 },
      )
      .not.toEqual([]);
    const began = performance.now();
    await Promise.all([first, second].map((client) => client.query("UPDATE users SET email = 'y'")));
    expect(performance.now() - began).toBeLessThan(6000);
    const error = await failed;
    expect(error.detail?.split("\n")).toHaveLength(2);
  });

  it("is a step of several too: the steps before it stay", async () => {
    const { database, godwit, write } = await testProject(
      { "1_users.sql": USERS, "2_steps.sql": `VACUUM users;\n${HOLDS}` },
      { options: { maxBlockingMs: 500 } },
    );
    await godwit.up({ steps: 1 });
    const reader = await testClient(database.url);
    let over = false;
    const reading = readUntil(reader, () => over);
    const run = godwit.up();
    const error = await failureOf(run, "BLOCKED_OTHERS");
    over = true;
    expect(await reading).toBeLessThan(5000);
    expect(error.location).toMatchObject({ line: 3 });
    expect(await eventsOf(run, "migration.failed")).toMatchObject([{ rolledBack: false }]);
    await write({ "2_steps.sql": `VACUUM users;\n${HOLDS.replace("60", "0")}` });
    const again = godwit.up();
    expect((await again).total).toBe(1);
    expect(await eventsOf(again, "statement.skipped")).toMatchObject([{ ordinal: 1 }]);
  });
});

describe("a migration that queues for a lock for longer than others may wait", () => {
  it("is warned of, and cancelled once somebody has waited behind it for so long", async () => {
    const { database, godwit } = await testProject(
      {
        "1_users.sql": USERS,
        "2_waits.sql":
          "-- godwit:lock_timeout 1min\nDO $$ BEGIN PERFORM pg_sleep(3); END $$;\nALTER TABLE users ADD COLUMN n int;\n",
      },
      { options: { maxBlockingMs: 1000 } },
    );
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    const run = godwit.up();
    const failed = failureOf(run, "BLOCKED_OTHERS");
    const appears = async (what: string): Promise<void> => {
      await expect.poll(() => database.query(`SELECT FROM ${what}`), { timeout: 20_000 }).toHaveLength(1);
    };
    // The table comes into use when nobody looks any more.
    await appears("pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'");
    await blocker.query("BEGIN; SELECT FROM users");
    await appears("pg_locks WHERE NOT granted AND relation = 'users'::regclass");
    const began = performance.now();
    await (await testClient(database.url)).query("SELECT FROM users");
    expect(performance.now() - began).toBeLessThan(6000);
    expect((await failed).hint).toContain("it waited for a lock itself");
    expect(await eventsOf(run, "warning")).toMatchObject([
      { message: expect.stringContaining("2_waits: with a lock_timeout of 1 min 0 s it may queue") },
    ]);
  });
});

describe("a statement that stands alone and makes others wait", () => {
  it("is cancelled at the limit and can be run again", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_full.sql": "VACUUM FULL users;\n" },
      { options: { maxBlockingMs: 500 } },
    );
    await godwit.up({ steps: 1 });
    const slow = (seconds: number): string =>
      `CREATE OR REPLACE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${seconds}); RETURN n; END $$`;
    await database.query(
      `${slow(0)}; INSERT INTO users SELECT generate_series(1, 1000); CREATE INDEX ON users (slow(id)); ${slow(0.05)}`,
    );
    const reader = await testClient(database.url);
    let over = false;
    const reading = readUntil(reader, () => over);
    const error = await failureOf(godwit.up(), "BLOCKED_OTHERS");
    over = true;
    expect(await reading).toBeLessThan(5000);
    expect(error).toMatchObject({ location: { line: 1 }, hint: expect.stringContaining("pg_repack") });
    expect(await statesOf(godwit)).toEqual(["1_users: applied", "2_full: failed"]);
    await database.query(slow(0));
    expect((await godwit.up()).total).toBe(1);
  });
});

describe("a code migration that makes others wait", () => {
  it("is aborted even while it does nothing in its transaction", async () => {
    const { database, godwit } = await testProject(
      {
        "1_users.sql": USERS,
        "2_code.mjs": `export async function up(db) {
          await db.query("ALTER TABLE users ADD COLUMN n int");
          await new Promise((resolve) => setTimeout(resolve, 8000));
          await db.query("CREATE TABLE late ()");
        }`,
      },
      { options: { maxBlockingMs: 500 } },
    );
    await godwit.up({ steps: 1 });
    const reader = await testClient(database.url);
    const failed = failureOf(godwit.up(), "BLOCKED_OTHERS");
    let over = false;
    const reading = readUntil(reader, () => over);
    const error = await failed;
    over = true;
    expect(await reading).toBeLessThan(5000);
    expect(error.message).toContain("its code was cancelled");
    expect(await tablesOf(database)).toEqual(["users"]);
    expect((await historyOf(database)).map(({ status }) => status)).toEqual(["completed", "failed"]);
  });
});

describe("a bulk that makes others wait", () => {
  it(
    "is cancelled where it must be, however much of it is under way, and everything is applied once",
    { timeout: 180_000 },
    async () => {
      const COUNT = 40;
      const { database, open } = await testProject({
        "100_users.sql": USERS,
        ...Object.fromEntries(
          Array.from({ length: COUNT }, (_, n) => [
            `${101 + n}_c.sql`,
            `ALTER TABLE users ADD COLUMN c${n} int;\nSELECT pg_sleep(${(n % 8) / 100});\n`,
          ]),
        ),
      });
      await (await open()).up({ steps: 1 });
      const reader = await testClient(database.url);
      let over = false;
      const reading = readUntil(reader, () => over);
      let cancelled = 0;
      for (const maxBlockingMs of [20, 30, 40, 50, 60, 70, 80, 100, 150, 300, 1000, 10_000]) {
        const godwit = await open({ maxBlockingMs });
        const failed = await godwit.up().then(
          () => null,
          (error: GodwitError) => error,
        );
        if (failed === null) break;
        if (failed.code !== "BLOCKED_OTHERS") throw failed;
        cancelled += 1;
      }
      over = true;
      await reading;
      expect(cancelled).toBeGreaterThan(0);
      const godwit = await open();
      expect((await historyOf(database)).map(({ status }) => status)).toEqual(
        Array(COUNT + 1).fill("completed"),
      );
      expect((await godwit.up()).total).toBe(0);
      await godwit.verify();
    },
  );
});

describe("the watch", () => {
  it("needs no second connection for what is quick", async () => {
    const { database, godwit } = await testProject(
      Object.fromEntries(
        Array.from({ length: 30 }, (_, n) => [`${100 + n}_t.sql`, `CREATE TABLE t${n} ();\n`]),
      ),
    );
    await godwit.up({ steps: 2 });
    const run = godwit.up();
    const names = new Set<string>();
    let over = false;
    const watching = (async () => {
      while (!over) {
        for (const { name } of await database.query<{ name: string }>(
          "SELECT application_name AS name FROM pg_stat_activity WHERE datname = current_database()",
        ))
          names.add(name);
      }
    })();
    await run;
    over = true;
    await watching;
    expect([...names]).not.toContain("godwit watch");
  });

  it("fails nothing where it cannot connect, and says so once", async () => {
    const database = await testDatabase();
    const role = await createRole("CONNECTION LIMIT 1");
    await database.query(
      `GRANT CREATE ON DATABASE ${database.name} TO ${role.name}; GRANT ALL ON SCHEMA public TO ${role.name}`,
    );
    const { godwit } = await testProject(
      { "1_slow.sql": "SELECT pg_sleep(2);\n", "2_slow.sql": "SELECT pg_sleep(1);\n" },
      { database: { ...database, url: role.urlFor(database.url) } },
    );
    const run = godwit.up();
    expect((await run).total).toBe(2);
    const warnings = await eventsOf(run, "warning");
    expect(warnings).toMatchObject([{ message: expect.stringContaining("too many connections for role") }]);
    await role.drop([database.url]);
  });
});
