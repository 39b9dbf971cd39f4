import { join } from "node:path";
import { HISTORY_VERSION } from "../../../src/history/versions.ts";
import { describe, expect, it } from "vitest";
import { withClient } from "../../support/postgres.ts";
import { eventsOf, failureOf, hasHistory, statesOf, testProject } from "../../support/project.ts";

const table = (name: string): string => `CREATE TABLE ${name} (id int);\n`;

describe("status", () => {
  it("shows everything pending where there is no history, and makes none", async () => {
    const { godwit, database } = await testProject({
      "1_first_table.sql": table("a"),
      "2_b.sql": table("b"),
    });
    const run = godwit.status();
    const { targets } = await run;
    expect(targets).toMatchObject([
      {
        target: "default",
        historyVersion: null,
        counts: { applied: 0, pending: 2, failed: 0, changed: 0, missing: 0 },
        code: "PENDING",
        lockedBy: null,
        server: expect.stringMatching(/^PostgreSQL \d+/),
        migrations: [{ id: "1_first_table", description: "first table", appliedAt: null }, { id: "2_b" }],
      },
    ]);
    expect(targets[0]?.database).toContain(database.name);
    expect(await hasHistory(database)).toBe(false);
    expect(await eventsOf(run, "lock.acquired")).toEqual([]);
  });

  it("tells of each applied one when, by whom and how long", async () => {
    const { godwit } = await testProject({
      "1_a.sql": `-- godwit:description the first of all\n${table("a")}`,
    });
    await godwit.up();
    const { targets } = await godwit.status();
    expect(targets[0]).toMatchObject({
      code: "OK",
      historyVersion: HISTORY_VERSION,
      counts: { applied: 1, pending: 0 },
    });
    const [row] = targets[0]!.migrations;
    expect(row).toMatchObject({ state: "applied", flags: [], description: "the first of all", error: null });
    expect(row?.appliedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(row?.appliedBy).toMatch(/\w/);
    expect(row?.executionMs).toBeGreaterThanOrEqual(0);
  });

  it("flags what is the matter with each file", async () => {
    const { godwit, write, remove, database } = await testProject({
      "1_a.sql": table("a"),
      "2_b.sql": `-- migrate:up\n${table("b")}-- migrate:down\nDROP TABLE b;\n`,
      "3_c.sql": table("c"),
      "4_d.sql": table("d"),
      "5_e.sql": table("e"),
      "r.repeatable.sql": "CREATE OR REPLACE VIEW r AS SELECT 1 AS one;",
    });
    await database.query("CREATE TABLE a (id int)");
    await godwit.baseline({ id: "1_a" });
    await godwit.up();
    await write({
      "2_b.sql": `-- migrate:up\n${table("b")}-- migrate:down\nDROP TABLE IF EXISTS b;\n`,
      "3_c.sql": table("see"),
      "4_d.sql": `-- d\n${table("d")}`,
      "6_f.sql": table("f"),
      "r.repeatable.sql": "CREATE OR REPLACE VIEW r AS SELECT 2 AS one;",
    });
    await remove("5_e.sql");
    expect(await statesOf(godwit)).toEqual([
      "1_a: applied, baseline",
      "2_b: applied, down_changed",
      "3_c: applied, file_changed",
      "4_d: applied, file_reformatted",
      "5_e: applied, file_missing",
      "6_f: pending",
      "r: pending",
    ]);
    const { targets } = await godwit.status();
    expect(targets[0]).toMatchObject({
      code: "CHECKSUM_MISMATCH",
      counts: { applied: 5, pending: 2, failed: 0, changed: 1, missing: 1 },
    });
  });

  it("shows the error of a failed one", async () => {
    const { godwit } = await testProject({ "1_a.sql": "SELECT 1/0;" });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    const { targets } = await godwit.status();
    expect(targets[0]).toMatchObject({
      code: "PENDING",
      counts: { failed: 1, pending: 0 },
      migrations: [{ state: "failed", error: expect.stringContaining("division by zero"), appliedAt: null }],
    });
  });

  it("calls one of several steps that failed no case for a person: it goes on by itself", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await godwit.status()).targets[0]).toMatchObject({
      code: "PENDING",
      migrations: [{ state: "half_applied", flags: [] }],
    });
    await write({ "1_a.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n" });
    expect((await godwit.up()).total).toBe(1);
    expect((await godwit.status()).targets[0]?.code).toBe("OK");
  });

  it("calls one whose first step failed failed: nothing of it is done", async () => {
    const { godwit } = await testProject({ "1_a.sql": "CREATE INDEX CONCURRENTLY i ON nowhere (id);" });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.result).toMatchObject({ targets: [{ unfinished: "1_a" }] });
    expect((await godwit.status()).targets[0]).toMatchObject({
      code: "PENDING",
      migrations: [{ state: "failed" }],
    });
    expect((await godwit.graph()).nodes).toMatchObject([{ state: "failed" }]);
  });

  it("calls one whose transaction was rolled back at its first step failed, not done in part", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\nSELECT 1/0;\nCREATE INDEX CONCURRENTLY i ON a (id);",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.result).toMatchObject({ targets: [{ unfinished: null }] });
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it.each([
    ["CREATE INDEX CONCURRENTLY i ON b (id);", "PENDING"],
    ["CREATE INDEX CONCURRENTLY ON b (id);", "PENDING"],
    ["VACUUM b;", "PENDING"],
    ["DO $$ BEGIN COMMIT; END $$;", "NEEDS_REPAIR"],
  ])("asks for a person where neither ledger nor catalog tell: %s", async (statement, code) => {
    const { godwit, write, remove, database } = await testProject({
      "1_a.sql": table("a"),
      "2_b.sql": `-- godwit:transaction off\nCREATE TABLE b (id int);\n${statement}\nSELECT 1/0;`,
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await database.query("DELETE FROM godwit.migration_steps WHERE ordinal = 3");
    await database.query("UPDATE godwit.migration_steps SET state = 'intended' WHERE ordinal = 2");
    expect((await godwit.status()).targets[0]).toMatchObject({
      code,
      migrations: [{ state: "applied" }, { state: "half_applied" }],
    });
    const [choice] = (await godwit.repair()).remaining;
    expect(choice).toMatchObject({ id: "2_b", needsPerson: code === "NEEDS_REPAIR" });
    expect(choice?.choices[0]?.command).toMatch(
      code === "NEEDS_REPAIR" ? /mark-step-applied/ : /^godwit up$/,
    );
    // That is so whatever else is the matter.
    await write({ "1_a.sql": table("aa") });
    expect((await godwit.status()).targets[0]?.code).toBe(code === "PENDING" ? "CHECKSUM_MISMATCH" : code);
    await write({ "1_a.sql": table("a"), "2_b.sql": "CREATE TABEL b;" });
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
    await remove("2_b.sql");
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
  });

  it("asks for a person where one is half applied and its file is gone", async () => {
    const { godwit, remove } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON nowhere (id);\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await remove("1_a.sql");
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
    expect((await godwit.repair()).remaining).toMatchObject([
      { explanation: "1 step of its up is done and its file is gone", needsPerson: true },
    ]);
  });

  it("says of a half taken back one that its taking back goes on", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": `-- migrate:up
CREATE TABLE a (id int);
CREATE INDEX i ON a (id);
-- migrate:down
DROP INDEX CONCURRENTLY i;
DROP TABLE a;
`,
    });
    await godwit.up();
    await database.query("CREATE VIEW v AS SELECT * FROM a");
    await failureOf(godwit.down(), "MIGRATION_FAILED");
    const half = { code: "PENDING", migrations: [{ state: "half_applied", flags: ["half_taken_back"] }] };
    expect((await godwit.status()).targets[0]).toMatchObject(half);
    await database.query("UPDATE godwit.migration_steps SET state = 'intended' WHERE ordinal = 1");
    expect((await godwit.status()).targets[0]).toMatchObject(half);
    const [choice] = (await godwit.repair()).remaining;
    expect(choice).toMatchObject({ needsPerson: false, choices: [{ command: "godwit down" }, {}, {}] });
    await database.query("DROP VIEW v");
    await godwit.down();
    expect((await godwit.status()).targets[0]).toMatchObject({ migrations: [{ state: "pending" }] });
  });

  it("tells who holds the lock, while work that goes on is no case for a person", async () => {
    const { godwit, database, open } = await testProject({
      "1_a.sql": table("a"),
      "2_b.sql": "CREATE INDEX CONCURRENTLY i ON a (id);",
    });
    await godwit.up({ steps: 1 });
    await withClient(database.url, async (blocker) => {
      await blocker.query("BEGIN; INSERT INTO a VALUES (1)");
      const work = godwit.up();
      const other = await open();
      await expect
        .poll(async () => (await other.status()).targets[0], { timeout: 10_000 })
        .toMatchObject({
          lockedBy: expect.stringContaining("backend"),
          code: "PENDING",
          migrations: [{ state: "applied" }, { state: "half_applied" }],
        });
      await blocker.query("COMMIT");
      expect((await work).total).toBe(1);
    });
    expect((await godwit.status()).targets[0]).toMatchObject({ lockedBy: null, code: "OK" });
  });

  it("works without the folder once something is applied, and only then", async () => {
    const { godwit, open, root } = await testProject({ "1_a.sql": table("a") });
    const elsewhere = await open({ migrations: join(root, "nowhere") });
    await failureOf(elsewhere.status(), "MIGRATIONS_NOT_FOUND");
    await godwit.up();
    expect(await statesOf(elsewhere)).toEqual(["1_a: applied, file_missing"]);
  });

  it("does not show again what was taken back and has no file any more", async () => {
    const { godwit, remove } = await testProject({
      "1_a.sql": table("a"),
      "2_b.sql": `-- migrate:up\n${table("b")}-- migrate:down\nDROP TABLE b;`,
    });
    await godwit.up();
    await godwit.down();
    await remove("2_b.sql");
    expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
  });

  it("of an unknown stream names the streams", async () => {
    const { godwit } = await testProject({ "1_a.sql": table("a") });
    const error = await failureOf(godwit.status({ streams: ["defualt"] }), "STREAM_UNKNOWN");
    expect(error.hint).toContain("default");
  });

  it("refuses a schema of somebody else's under the name of the history", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": table("a") });
    await database.query("CREATE SCHEMA godwit CREATE TABLE meta (x int)");
    await failureOf(godwit.status(), "HISTORY_FOREIGN");
    await failureOf(godwit.up(), "HISTORY_FOREIGN");
    expect(await database.query("SELECT * FROM godwit.meta")).toEqual([]);
  });
});

describe("history", () => {
  it("tells what was done, oldest first, by whom and in which run", async () => {
    const { godwit } = await testProject({ "1_a.sql": table("a"), "2_b.sql": "SELECT 1/0;" });
    const error = await failureOf(godwit.up({ gitSha: "abc123" }), "MIGRATION_FAILED");
    const { targets } = await godwit.history();
    expect(targets[0]?.entries.map(({ event, id }) => `${event} ${id ?? "-"}`)).toEqual([
      "lock.acquired -",
      "migration.applied 1_a",
      "migration.failed 2_b",
      "lock.released -",
    ]);
    const { runId } = error.result as { runId: string };
    expect(targets[0]?.entries.every((entry) => entry.runId === runId && entry.by !== null)).toBe(true);
    expect((await godwit.history({ id: "1_a" })).targets[0]?.entries).toHaveLength(1);
    expect((await godwit.history({ limit: 1 })).targets[0]?.entries).toMatchObject([
      { event: "lock.released" },
    ]);
  });

  it("says of an id that it has nothing of it, and which was probably meant", async () => {
    const { godwit } = await testProject({ "1_users.sql": table("a"), "2_orders.sql": table("b") });
    await godwit.up({ to: "1_users" });
    const told = async (id: string): Promise<unknown> => {
      const run = godwit.history({ id });
      expect((await run).targets[0]?.entries.length).toBe(id === "1_users" ? 1 : 0);
      return eventsOf(run, "warning");
    };
    expect(await told("1_users")).toEqual([]);
    expect(await told("1_user")).toMatchObject([
      { message: "the history has nothing of 1_user", hint: "did you mean `1_users`?" },
    ]);
    expect(await told("nope")).toMatchObject([{ hint: "`godwit status` lists the ids" }]);
  });

  it("is empty where there is none", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": table("a") });
    expect((await godwit.history()).targets[0]?.entries).toEqual([]);
    expect((await godwit.verify()).targets[0]).toMatchObject({ entries: 0, brokenAt: null });
    expect(await hasHistory(database)).toBe(false);
  });
});

describe("verify", () => {
  it("finds an entry that was altered, taken out or cut off", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": table("a"), "2_b.sql": table("b") });
    await godwit.up();
    expect((await godwit.verify()).targets[0]).toMatchObject({ entries: 4, brokenAt: null });
    await database.query("CREATE TABLE kept AS SELECT * FROM godwit.migration_log");
    const restored = "TRUNCATE godwit.migration_log; INSERT INTO godwit.migration_log SELECT * FROM kept";
    for (const [tampering, at] of [
      ["UPDATE godwit.migration_log SET message = 'nothing happened' WHERE seq = 2", 2],
      ["UPDATE godwit.migration_log SET details = details || '{\"x\": 1}' WHERE seq = 3", 3],
      ["UPDATE godwit.migration_log SET at = at + interval '1 microsecond' WHERE seq = 1", 1],
      ["DELETE FROM godwit.migration_log WHERE seq = 2", 2],
      ["DELETE FROM godwit.migration_log WHERE seq = 4", 4],
    ] as const) {
      await database.query(tampering);
      const error = await failureOf(godwit.verify(), "LOG_CHAIN_BROKEN");
      expect({ tampering, result: error.result }).toMatchObject({ result: { targets: [{ brokenAt: at }] } });
      await database.query(restored);
    }
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });

  it("finds files that are not what was applied", async () => {
    const { godwit, write, remove } = await testProject({ "1_a.sql": table("a"), "2_b.sql": table("b") });
    await godwit.up();
    await write({ "1_a.sql": table("aa") });
    await remove("2_b.sql");
    const error = await failureOf(godwit.verify(), "CHECKSUM_MISMATCH");
    expect(error.result).toMatchObject({ targets: [{ changed: ["1_a"], missing: ["2_b"] }] });
    expect(error.hint).toContain("git checkout <commit> -- migrations/1_a.sql\n");
  });

  it("tells an edit of the way down, and one of comments alone, in either direction", async () => {
    const both = (name: string): string =>
      `-- migrate:up\n${table(name)}\n-- migrate:down\nDROP TABLE ${name};\n`;
    const { godwit, write } = await testProject({ "1_a.sql": both("a"), "2_b.sql": both("b") });
    await godwit.up();
    await write({ "1_a.sql": both("a").replace("DROP TABLE a", "DROP TABLE a CASCADE") });
    await write({ "2_b.sql": `${both("b")}-- that was it\n` });
    expect((await godwit.verify()).targets[0]).toMatchObject({
      changed: [],
      downChanged: ["1_a"],
      reformatted: ["2_b"],
    });
    expect(await statesOf(godwit)).toEqual(["1_a: applied, down_changed", "2_b: applied, file_reformatted"]);
    const { remaining } = await godwit.repair();
    expect(remaining.map(({ id, needsPerson }) => [id, needsPerson])).toEqual([
      ["1_a", true],
      ["2_b", false],
    ]);
    expect((await godwit.plan({ direction: "down", all: true })).plans[0]?.warnings).toMatchObject([
      { message: expect.stringContaining("1_a") },
    ]);
  });

  it("finds a repeatable that is not what was applied", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": table("a"),
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
    });
    await godwit.up();
    expect((await godwit.verify()).targets[0]).toMatchObject({ changed: [], missing: [] });
    await write({ "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 2;" });
    const error = await failureOf(godwit.verify(), "CHECKSUM_MISMATCH");
    expect(error.result).toMatchObject({ targets: [{ changed: ["v"] }] });
  });
});
