import { describe, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "../support/postgres.ts";
import { Project, type RunningCli } from "./cli-harness.ts";

const SLOW: Readonly<Record<string, string>> = {
  "migrations/1_first.sql": "CREATE TABLE first ();\n",
  "migrations/2_slow.sql": "CREATE TABLE half ();\nSELECT pg_sleep(30);\nCREATE TABLE other_half ();\n",
};
const SLEEPING = `SELECT count(*)::int AS n FROM pg_stat_activity
  WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`;

/** Waits until the server is in the middle of the slow statement. */
async function inTheMiddle(cli: RunningCli, database: TestDatabase): Promise<void> {
  await cli.saw("2_slow");
  await expect.poll(() => database.query(SLEEPING), { timeout: 10_000 }).toEqual([{ n: 1 }]);
}

describe("a signal in the middle of a statement", () => {
  it.each([
    ["SIGINT", 130, "interrupted"],
    ["SIGTERM", 143, "terminated"],
  ] as const)("%s: exit %i at once, nothing half done, nothing left running", async (signal, exit, word) => {
    const database = await testDatabase();
    const project = new Project(SLOW, { DATABASE_URL: database.url });
    const cli = project.start(["up"]);
    await inTheMiddle(cli, database);

    const before = performance.now();
    cli.child.kill(signal);
    const finished = await cli.finished;
    // The statement would take half a minute; a machine that is busy with other tests may take its time.
    expect(performance.now() - before).toBeLessThan(10_000);
    expect([finished.exit, finished.signal]).toEqual([exit, null]);
    expect(finished.stderr).toContain(word);

    expect(await database.query(SLEEPING)).toEqual([{ n: 0 }]);
    expect(
      await database.query("SELECT to_regclass('first')::text AS first, to_regclass('half')::text AS half"),
    ).toEqual([{ first: "first", half: null }]);

    project.write({ "migrations/2_slow.sql": "CREATE TABLE half ();\nCREATE TABLE other_half ();\n" });
    expect((await project.run(["up"])).exit).toBe(0);
    expect((await project.run(["verify"])).exit).toBe(0);
  });

  it("is told in the document of --json", async () => {
    const database = await testDatabase();
    const project = new Project(SLOW, { DATABASE_URL: database.url });
    const cli = project.start(["up", "--json", "--log", "json"]);
    await inTheMiddle(cli, database);
    cli.child.kill("SIGTERM");
    const { exit, stdout, stderr } = await cli.finished;
    expect(exit).toBe(143);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      code: "TERMINATED",
      exit: 143,
      data: { total: 1 },
    });
    const lines = stderr.trimEnd().split("\n");
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("type");
  });

  it("a second one ends the process at once", async () => {
    const database = await testDatabase();
    const project = new Project(SLOW, { DATABASE_URL: database.url });
    const cli = project.start(["up"]);
    await inTheMiddle(cli, database);
    cli.child.kill("SIGINT");
    await cli.saw("once more");
    cli.child.kill("SIGINT");
    expect((await cli.finished).exit).toBe(130);
  });

  it("ends waiting for a database that is not there", async () => {
    const project = new Project(SLOW, { DATABASE_URL: "postgres://127.0.0.1:1/d" });
    const cli = project.start(["wait", "--timeout", "1min"]);
    await cli.saw("waiting for the database");
    cli.child.kill("SIGINT");
    const { exit, durationMs } = await cli.finished;
    expect(exit).toBe(130);
    expect(durationMs).toBeLessThan(10_000);
  });
});
