import { describe, expect, it } from "vitest";
import { query, serverUrl } from "../../support/postgres.ts";
import { eventsOf, failureOf, hasHistory, testProject } from "../../support/project.ts";

const two = { "1_a.sql": "CREATE TABLE a (id int);", "2_b.sql": "CREATE TABLE b (id int);" };

describe("wait", () => {
  it("ends at once where everything is applied", async () => {
    const { godwit } = await testProject(two);
    await godwit.up();
    const result = await godwit.wait();
    expect(result).toMatchObject({ reached: true, targets: [{ target: "default", missing: [] }] });
  });

  it("looks once with no time, says what is missing and makes nothing", async () => {
    const { godwit, database } = await testProject(two);
    const error = await failureOf(godwit.wait({ timeoutMs: 0 }), "PENDING");
    expect(error.message).toContain("default/1_a");
    expect(error.result).toMatchObject({ reached: false, targets: [{ missing: ["1_a", "2_b"] }] });
    expect(await hasHistory(database)).toBe(false);
  });

  it("goes on until another run has applied everything", async () => {
    const { godwit, open } = await testProject(two);
    const waiting = (await open()).wait({ timeoutMs: 20_000 });
    await godwit.up({ steps: 1 });
    await godwit.up();
    expect((await waiting).reached).toBe(true);
  });

  it("ends when its time is over, not before and not much after", async () => {
    const { godwit } = await testProject(two);
    const error = await failureOf(godwit.wait({ timeoutMs: 600 }), "PENDING");
    const { waitedMs } = error.result as { waitedMs: number };
    expect(waitedMs).toBeGreaterThanOrEqual(595);
    expect(waitedMs).toBeLessThan(5000);
  });

  it("waits for ids by name, with and without their stream", async () => {
    const { godwit } = await testProject(two);
    await godwit.up({ steps: 1 });
    expect((await godwit.wait({ for: ["1_a"], timeoutMs: 0 })).reached).toBe(true);
    expect((await godwit.wait({ for: ["default/1_a"], timeoutMs: 0 })).reached).toBe(true);
    const error = await failureOf(
      godwit.wait({ for: ["default/1_a", "2_b", "9_z"], timeoutMs: 0 }),
      "PENDING",
    );
    expect(error.result).toMatchObject({ targets: [{ missing: ["2_b", "9_z"] }] });
    await failureOf(godwit.wait({ for: ["other/1_a"], timeoutMs: 0 }), "STREAM_UNKNOWN");
  });

  it("does not take what failed or was taken back for applied", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n",
      "2_b.sql": "SELECT 1/0;",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await godwit.down();
    const error = await failureOf(godwit.wait({ timeoutMs: 0 }), "PENDING");
    expect(error.result).toMatchObject({ targets: [{ missing: ["1_a", "2_b"] }] });
  });

  it("for the connection alone needs no history and no files", async () => {
    const { godwit, database } = await testProject({});
    expect((await godwit.wait({ connectionOnly: true, timeoutMs: 0 })).reached).toBe(true);
    await failureOf(godwit.wait({ timeoutMs: 0 }), "MIGRATIONS_NOT_FOUND");
    expect(await hasHistory(database)).toBe(false);
  });

  it("says at the end of its time that the database cannot be reached", async () => {
    const { open } = await testProject(two);
    const nowhere = await open({ database: "postgresql://postgres@127.0.0.1:1/nothing" });
    const run = nowhere.wait({ timeoutMs: 700 });
    await failureOf(run, "DATABASE_UNREACHABLE");
    expect((await eventsOf(run, "connection.waiting")).length).toBeGreaterThan(1);
    await failureOf(nowhere.wait({ timeoutMs: 0 }), "DATABASE_UNREACHABLE");
  });

  it("bears with a database that is yet to be made", async () => {
    const { open, database, godwit } = await testProject(two);
    await godwit.up();
    const { name } = database;
    await query(serverUrl(), `ALTER DATABASE ${name} RENAME TO ${name}_hidden`);
    const waiting = (await open()).wait({ timeoutMs: 20_000 });
    for await (const event of waiting) {
      if (event.type !== "connection.waiting") continue;
      expect(event.reason).toContain("does not exist");
      break;
    }
    await query(serverUrl(), `ALTER DATABASE ${name}_hidden RENAME TO ${name}`);
    expect((await waiting).reached).toBe(true);
  });

  it("goes on when the server ends its session meanwhile", async () => {
    const { open, database, godwit } = await testProject(two);
    await godwit.up({ steps: 1 });
    const waiting = (await open()).wait({ timeoutMs: 20_000 });
    await expect
      .poll(
        () =>
          database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'godwit'",
          ),
        { interval: 1, timeout: 10_000 },
      )
      .not.toEqual([]);
    await godwit.up();
    expect((await waiting).reached).toBe(true);
  });

  it("ends when it is aborted", async () => {
    const { godwit } = await testProject(two);
    const controller = new AbortController();
    const waiting = godwit.wait({ signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    expect((await failureOf(waiting, "INTERRUPTED")).message).toBe("interrupted");
  });
});
