import { describe, expect, it } from "vitest";
import { testDatabase } from "../support/postgres.ts";
import { Project, SHOP } from "./cli-harness.ts";

describe("exit status", () => {
  it("0 and 1: done; failed, with the place, the reason and the next command", async () => {
    const { url } = await testDatabase();
    const project = new Project(SHOP, { DATABASE_URL: url });
    expect((await project.run(["up"])).exit).toBe(0);
    project.write({
      "migrations/20260103000000_broken.sql": "CREATE TABLE t ();\nALTER TABLE nowhere ADD x int;\n",
    });
    const { exit, stdout, stderr } = await project.run(["up"]);
    expect([exit, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("error[MIGRATION_FAILED]");
    expect(stderr).toContain("--> migrations/20260103000000_broken.sql:2:");
    expect(stderr).toContain("ALTER TABLE nowhere ADD x int");
    expect(stderr).toContain("42P01");
    expect(stderr).toContain("godwit up");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("2: wrong words, missing folder, no database", async () => {
    const project = new Project({});
    expect(await project.run(["statsu"])).toMatchObject({
      exit: 2,
      stdout: "",
      stderr: expect.stringContaining("`status`"),
    });
    const missing = await project.run(["up"], { DATABASE_URL: "postgres://127.0.0.1:1/x" });
    expect(missing.exit).toBe(2);
    expect(missing.stderr).toContain("MIGRATIONS_NOT_FOUND");
    const shop = new Project(SHOP);
    const nowhere = await shop.run(["up"]);
    expect(nowhere.exit).toBe(2);
    expect(nowhere.stderr).toContain("DATABASE_URL");
    expect(nowhere.stderr).toContain("--embedded");
  });

  it("3: pending; wait not reached", async () => {
    const { url } = await testDatabase();
    const project = new Project(SHOP, { DATABASE_URL: url });
    expect((await project.run(["status", "--exit-code", "--quiet"])).exit).toBe(3);
    expect((await project.run(["wait", "--for", "20260101000000_users", "--timeout", "200ms"])).exit).toBe(3);
    await project.run(["up", "--to", "20260101000000_users"]);
    expect((await project.run(["wait", "--for", "20260101000000_users", "--timeout", "10s"])).exit).toBe(0);
    expect((await project.run(["status", "--exit-code", "--quiet"])).exit).toBe(3);
  });

  it("4: another run holds the lock for longer than --lock-wait", async () => {
    const { url } = await testDatabase();
    const project = new Project({ "migrations/1_slow.sql": "SELECT pg_sleep(20);\n" }, { DATABASE_URL: url });
    const first = project.start(["up"]);
    await first.saw("1_slow");
    const second = await project.run(["up", "--lock-wait", "300ms"]);
    expect(second.exit).toBe(4);
    expect(second.stderr).toContain("LOCK_BUSY");
    first.child.kill("SIGTERM");
    expect((await first.finished).exit).toBe(143);
  });

  it("5: an applied file was edited, and nothing is run", async () => {
    const database = await testDatabase();
    const project = new Project(SHOP, { DATABASE_URL: database.url });
    await project.run(["up"]);
    project.write({
      "migrations/20260101000000_users.sql": "CREATE TABLE users (id int);\n",
      "migrations/20260103000000_more.sql": "CREATE TABLE more ();\n",
    });
    expect((await project.run(["up"])).exit).toBe(5);
    expect(await database.query("SELECT to_regclass('more') AS more")).toEqual([{ more: null }]);
    expect((await project.run(["verify"])).exit).toBe(5);
  });

  it("6: no way down", async () => {
    const { url } = await testDatabase();
    const project = new Project(
      { "migrations/1_a.sql": "-- godwit:irreversible data is gone\n-- migrate:up\nCREATE TABLE a ();\n" },
      { DATABASE_URL: url },
    );
    await project.run(["up"]);
    const { exit, stderr } = await project.run(["down"]);
    expect(exit).toBe(6);
    expect(stderr).toContain("data is gone");
  });

  it("8: database not reachable in time", async () => {
    const project = new Project(SHOP, { DATABASE_URL: "postgres://u:s3cret@127.0.0.1:1/d" });
    for (const argv of [["up"], ["status"], ["wait", "--connection", "--timeout", "300ms"]]) {
      const { exit, stderr } = await project.run(argv);
      expect([argv, exit]).toEqual([argv, 8]);
      expect(stderr).not.toContain("s3cret");
    }
  });

  it("1: --timeout ends the command", async () => {
    const { url } = await testDatabase();
    const project = new Project({ "migrations/1_slow.sql": "SELECT pg_sleep(20);\n" }, { DATABASE_URL: url });
    const { exit, stderr, durationMs } = await project.run(["up", "--timeout", "500ms"]);
    expect(exit).toBe(1);
    expect(stderr).toContain("error[TIMEOUT]");
    expect(durationMs).toBeLessThan(10_000);
  });
});
