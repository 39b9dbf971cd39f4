import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createRole, testDatabase } from "../../support/postgres.ts";
import { testProject } from "../../support/project.ts";
import { testClient } from "./gate.ts";

describe("a look for who is in the way", () => {
  it.each([
    ["what the file means", "pg_inherits"],
    ["who holds it", "pg_prepared_xacts"],
  ])("that may not see %s keeps nothing from being tried", async (_, relation) => {
    const database = await testDatabase();
    const role = await createRole();
    await database.query(
      `GRANT CREATE ON DATABASE ${database.name} TO ${role.name}; GRANT ALL ON SCHEMA public TO ${role.name};
       CREATE TABLE users (id int); ALTER TABLE users OWNER TO ${role.name}; REVOKE SELECT ON pg_catalog.${relation} FROM PUBLIC`,
    );
    const { godwit } = await testProject(
      { "1_alter.sql": "ALTER TABLE users ADD COLUMN n int;\n" },
      { database: { ...database, url: role.urlFor(database.url) }, options: { lockTimeoutMs: 300 } },
    );
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; SELECT FROM users");
    await delay(500);
    const run = godwit.up();
    const reasons: string[] = [];
    for await (const event of run) {
      if (event.type !== "migration.retrying") continue;
      reasons.push(event.reason);
      await blocker.query("COMMIT");
    }
    expect((await run).total).toBe(1);
    // It stood in the queue, since nobody was seen.
    expect(reasons[0]).toMatch(/^lock not available (on public\.users|for ALTER TABLE)/);
    await role.drop([database.url]);
  });
});
