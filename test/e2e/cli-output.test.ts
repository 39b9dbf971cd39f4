import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { runPsql, testDatabase } from "../support/postgres.ts";
import { MAIN, Project, SHOP } from "./cli-harness.ts";

describe("streams", () => {
  it("progress on stderr, data on stdout", async () => {
    const { url } = await testDatabase();
    const project = new Project(SHOP, { DATABASE_URL: url });
    const up = await project.run(["up"]);
    expect(up.stdout).toBe("");
    for (const shown of [
      "20260101000000_users",
      "CREATE TABLE users",
      "2 rows",
      "CREATE INDEX CONCURRENTLY",
    ]) {
      expect(up.stderr).toContain(shown);
    }
    expect(up.stderr).toMatch(/✓ 3 migrations applied in [\d.]+ m?s\n$/);
    const status = await project.run(["status"]);
    expect(status.stderr).toBe("");
    expect(status.stdout).toMatch(/✓ {2}20260101000000_users +just now +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/);
    expect(status.stdout).toContain("3 applied, 0 pending");
    const down = await project.run(["down", "--all"]);
    expect(down.stderr).toContain("DROP TABLE users");
    expect((await project.run(["up", "--quiet"])).stderr).toBe("");
  });

  it("says what is dropped, and that it is migrate that up was called", async () => {
    const { url } = await testDatabase();
    const project = new Project(SHOP, { DATABASE_URL: url });
    expect((await project.run(["migrate"])).stderr).toContain("`godwit migrate` is `godwit up`");
    expect((await project.run(["down", "1"])).stderr).toContain("DROP TABLE orders");
  });

  it("colour follows FORCE_COLOR, NO_COLOR and --color", async () => {
    const project = new Project(SHOP);
    const coloured = async (argv: readonly string[], env: Readonly<Record<string, string>>) =>
      (await project.run([...argv, "graph", "--offline"], env)).stdout.includes("\u001b[");
    expect(await coloured([], {})).toBe(false);
    expect(await coloured([], { FORCE_COLOR: "1" })).toBe(true);
    expect(await coloured([], { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
    expect(await coloured(["--color", "always"], { NO_COLOR: "1" })).toBe(true);
    expect(await coloured(["--color=never"], { FORCE_COLOR: "1" })).toBe(false);
  });

  it("a reader that goes away is no error", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 3000 }, (_, at) => [
        `migrations/${String(at).padStart(5, "0")}_m.sql`,
        "SELECT 1;\n",
      ]),
    );
    const project = new Project(files);
    const child = spawn(process.execPath, [MAIN, "graph", "--offline"], {
      cwd: project.folder,
      stdio: "pipe",
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [exit, signal] = await once(child, "close");
    expect([exit, signal, stderr]).toEqual([0, null, ""]);
  });
});

describe("plan", () => {
  it("prints SQL that psql runs with the same outcome, and touches nothing itself", async () => {
    const planned = await testDatabase();
    const applied = await testDatabase();
    const project = new Project(SHOP);
    const { exit, stdout, stderr } = await project.run(["plan"], { DATABASE_URL: planned.url });
    expect([exit, stderr]).toEqual([0, "3 migrations planned; nothing was run\n"]);
    const schemas = "SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = 'godwit'";
    expect(await planned.query(schemas)).toEqual([{ n: 0 }]);
    expect(stdout).toMatch(/BEGIN;\nSET LOCAL lock_timeout = 500; -- ms\nCREATE TABLE users[^]*COMMIT;/);
    expect(stdout).toMatch(/-- stands alone[^]*CREATE INDEX CONCURRENTLY orders_user/);

    const psql = await runPsql(planned.url, ["-v", "ON_ERROR_STOP=1", "-q"], { input: stdout });
    if (psql === null) return;
    expect([psql.status, psql.stderr]).toEqual([0, ""]);
    await project.run(["up"], { DATABASE_URL: applied.url });
    const tables = `SELECT c.relname, c.relkind::text, pg_get_indexdef(i.indexrelid) AS index FROM pg_class c
      LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE relnamespace = 'public'::regnamespace ORDER BY 1`;
    expect(await planned.query(tables)).toEqual(await applied.query(tables));
  });
});
