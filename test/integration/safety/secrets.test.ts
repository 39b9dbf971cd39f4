import { describe, expect, it } from "vitest";
import type { Client } from "pg";
import { maskSecrets } from "../../../src/core/mask-secrets.ts";
import { maskedQuery } from "../../../src/postgres/masked-query.ts";
import { isGodwitError } from "../../../src/core/error.ts";
import type { GodwitOptions, Run } from "../../../src/index.ts";
import { testDatabase, withClient } from "../../support/postgres.ts";
import { testProject, type Project } from "../../support/project.ts";
import { testClient } from "./gate.ts";

const SECRET = "hunter2";
const WITH_SECRET = `COMMENT ON DATABASE postgres IS 'x'; SELECT 'postgres://u:${SECRET}@h/d', 'password=${SECRET}'`;

/** All that a run told, and what it ended with. */
async function told(run: Run<unknown>): Promise<string> {
  const events: unknown[] = [];
  const listening = (async () => {
    for await (const event of run) events.push(event);
  })();
  const end = await run.then(
    () => null,
    (error: unknown) => error,
  );
  await listening.catch(() => undefined);
  return JSON.stringify([events, end], (key, value: unknown) =>
    isGodwitError(value)
      ? [value.message, value.detail, value.hint, value.location]
      : key === "sql" || key === "cause"
        ? undefined
        : value,
  );
}

async function kept({ database }: Project): Promise<string> {
  return JSON.stringify(
    await database.query(
      "SELECT l.message, l.details, m.error FROM godwit.migration_log l, godwit.migrations m",
    ),
  );
}

describe("the password in the query of another session", () => {
  async function inTheWay(
    file: string,
    options: GodwitOptions,
    hold: string,
  ): Promise<{ project: Project; run: Run<unknown>; client: Client }> {
    const project = await testProject({ "0_t.sql": "CREATE TABLE t (a text);\n" });
    await project.godwit.up();
    await project.write({ "1_a.sql": file });
    const client = await testClient(project.database.url);
    await client.query(`BEGIN; ${hold}`);
    await client.query(`SELECT 'password=${SECRET}'`);
    const godwit = await project.open(options);
    return { project, run: godwit.up(), client };
  }

  it("is not told where it keeps a migration out, nor kept in the log", async () => {
    const { project, run, client } = await inTheWay("ALTER TABLE t ADD b int;\n", {}, "LOCK TABLE t");
    const first: unknown[] = [];
    for await (const event of run) {
      first.push(event);
      // A transaction that has just begun is waited for in the queue.
      if (event.type === "migration.retrying" && event.reason.includes("held by")) break;
    }
    await client.query("COMMIT");
    const text = JSON.stringify(first) + (await told(run)) + (await kept(project));
    expect(text).not.toContain(SECRET);
    expect(text).toContain("password=***");
  });

  it("is not told where a patient statement waits for it", async () => {
    const { run } = await inTheWay(
      "CREATE INDEX CONCURRENTLY i ON t (a);\n",
      { patientTimeoutMs: 2500 },
      "INSERT INTO t VALUES ('x')",
    );
    const text = await told(run);
    expect(text).not.toContain(SECRET);
    expect(text).toContain("password=***");
  });

  it("is not told where it had to wait for a migration", async () => {
    const project = await testProject({
      "1_a.sql": "ALTER TABLE t ADD COLUMN b int; SELECT pg_sleep(30);\n",
    });
    await project.database.query("CREATE TABLE t (a text)");
    const run = (await project.open({ maxBlockingMs: 1000 })).up();
    const client = await testClient(project.database.url);
    for await (const event of run) if (event.type === "statement.finished") break;
    const query = client.query(`INSERT INTO t VALUES ('postgres://u:${SECRET}@host/db')`).catch(() => null);
    const text = await told(run);
    expect(text).not.toContain(SECRET);
    expect(text).toContain("postgres://u:***@host");
    await query;
  });
});

it("the password of a statement that fails is not told", async () => {
  const project = await testProject({
    "1_a.sql": `ALTER ROLE nobody_of_this_name PASSWORD '${SECRET}';\n`,
  });
  const text = (await told(project.godwit.up())) + (await kept(project));
  expect(text).not.toContain(SECRET);
  expect(text).toContain("PASSWORD '*******'");
});

it("the password in what a block of code ran is not told", async () => {
  const project = await testProject({
    "1_a.sql": `DO $$ BEGIN EXECUTE 'ALTER ROLE nobody_of_this_name PASSWORD ''' || '${SECRET.slice(0, 4)}' || '${SECRET.slice(4)}'''; END $$;\n`,
  });
  const text = (await told(project.godwit.up())) + (await kept(project));
  expect(text).not.toContain(SECRET);
  expect(text).toContain("PASSWORD '***'");
});

it("the server takes out of a query what is taken out here, before it is cut", async () => {
  const database = await testDatabase();
  const queries = [
    WITH_SECRET,
    "CREATE ROLE shop LOGIN PASSWORD 's3cret'",
    "ALTER ROLE shop password\n 's3''cret x' VALID UNTIL 'infinity'",
    "CREATE ROLE shop PASSWORD E's3cret'",
    "DO $$ BEGIN EXECUTE 'CREATE ROLE a PASSWORD ''s3cret'''; END $$",
    "CREATE SUBSCRIPTION s CONNECTION 'host=a user=b password=s3cret dbname=c' PUBLICATION p",
    String.raw`SELECT dblink('password=\'s3 cret\' user=x')`,
    "UPDATE users SET password_hash = crypt('a', gen_salt('bf')) WHERE note = 'password'",
  ];
  await withClient(database.url, async (client) => {
    for (const query of queries) {
      const { rows } = await client.query<{ shown: string }>(
        `SELECT ${maskedQuery("q")} AS shown FROM (VALUES ($1::text)) v (q)`,
        [query],
      );
      expect(rows[0]?.shown).toBe(maskSecrets(query).slice(0, 80));
    }
  });
});
