import { expect, it } from "vitest";
import { testDatabase } from "../../support/postgres.ts";
import { eventsOf, statesOf, testProject, writeFiles } from "../../support/project.ts";

it.each(["repeatable read", "serializable"])(
  "a transaction outlasts the renewals of its lease where %s is the database's default",
  async (level) => {
    const database = await testDatabase();
    await database.query(`ALTER DATABASE ${database.name} SET default_transaction_isolation = '${level}'`);
    const { open, root } = await testProject(
      {
        "1_a.sql": "CREATE TABLE a (id int);\nSELECT pg_sleep(2);\n",
        "2_b.sql": "CREATE TABLE b ();\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nSELECT pg_sleep(2);\n",
      },
      { database },
    );
    await writeFiles(root, { "godwit.config.yaml": "lock: { provider: lease, lease: 1s }\n" });
    const godwit = await open();
    const run = godwit.up();
    await run;
    // A snapshot of its beginning would let no attempt commit.
    expect(await eventsOf(run, "migration.retrying")).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied"]);
  },
);
