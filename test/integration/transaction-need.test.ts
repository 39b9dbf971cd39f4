import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitSql } from "../../src/sql/split.ts";
import { createDatabase, type TestDatabase, withClient } from "../support/postgres.ts";

const SETUP = `
  CREATE TABLE t (a int PRIMARY KEY);
  CLUSTER t USING t_pkey;
  CREATE TABLE parts (a int PRIMARY KEY) PARTITION BY RANGE (a);
  CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TYPE e AS ENUM ('a');
`;
/** Needs a subscription; made in the same transaction, so that none is left. */
const SUBSCRIPTION = `CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere host=127.0.0.1 port=1' PUBLICATION p
  WITH (connect = false, slot_name = s)`;
const ENABLE = "ALTER SUBSCRIPTION s ENABLE";

interface Case {
  readonly sql: string;
  readonly before?: readonly string[];
  /** The first version of PostgreSQL that knows it. */
  readonly since?: number;
}

const CASES: readonly Case[] = [
  ...[
    "CREATE INDEX ON t (a)",
    "CREATE INDEX CONCURRENTLY ON t (a)",
    "DROP INDEX IF EXISTS nothing",
    "DROP INDEX CONCURRENTLY IF EXISTS nothing",
    "REINDEX TABLE t",
    "REINDEX INDEX t_pkey",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX (VERBOSE, CONCURRENTLY) INDEX t_pkey",
    "REINDEX (CONCURRENTLY FALSE) TABLE t",
    "REINDEX (CONCURRENTLY 1) TABLE t",
    "REINDEX SCHEMA public",
    "REINDEX DATABASE postgres",
    "REINDEX SYSTEM postgres",
    "VACUUM t",
    "VACUUM (FULL) t",
    "ANALYZE t",
    "ANALYZE",
    "CLUSTER",
    "CLUSTER t",
    "CREATE DATABASE never",
    "DROP DATABASE IF EXISTS nothing",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "ALTER DATABASE postgres CONNECTION LIMIT -1",
    "ALTER DATABASE postgres SET work_mem = '4MB'",
    "CREATE TABLESPACE never LOCATION '/nowhere'",
    "DROP TABLESPACE IF EXISTS nothing",
    "ALTER TABLESPACE pg_default SET (random_page_cost = 4)",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "ALTER SYSTEM RESET work_mem",
    "ALTER TABLE parts DETACH PARTITION part",
    "ALTER TABLE parts DETACH PARTITION part CONCURRENTLY",
    "ALTER TABLE parts DETACH PARTITION part FINALIZE",
    "ALTER TYPE e ADD VALUE 'b'",
    "ALTER TYPE e RENAME VALUE 'a' TO 'c'",
    "DISCARD ALL",
    "DISCARD TEMP",
    "CHECKPOINT",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere host=127.0.0.1 port=1' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)",
  ].map((sql) => ({ sql })),
  { sql: "REINDEX DATABASE", since: 16 },
  ...[
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION WITH (copy_data = false)",
    "ALTER SUBSCRIPTION s SET PUBLICATION q",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q",
  ].map((sql) => ({ sql, before: [SUBSCRIPTION, ENABLE] })),
  ...[
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (refresh = off)",
    "ALTER SUBSCRIPTION s SET (synchronous_commit = off)",
    "ALTER SUBSCRIPTION s DISABLE",
    "DROP SUBSCRIPTION s",
  ].map((sql) => ({ sql, before: [SUBSCRIPTION] })),
  { sql: "ALTER SUBSCRIPTION s SET (failover = true)", before: [SUBSCRIPTION], since: 17 },
  { sql: "ALTER SUBSCRIPTION s SET (two_phase = true)", before: [SUBSCRIPTION], since: 18 },
  { sql: "ALTER SUBSCRIPTION s SET (two_phase = false)", before: [SUBSCRIPTION], since: 18 },
];

describe("what must stand alone, against the server", () => {
  let database: TestDatabase;
  let major: number;
  beforeAll(async () => {
    database = await createDatabase();
    await withClient(database.url, (client) => client.query(SETUP));
    const [row] = await database.query<{ version: string }>(
      "SELECT current_setting('server_version_num') AS version",
    );
    major = Math.floor(Number(row?.version) / 10_000);
  });
  afterAll(() => database.drop());

  /** Whether the server refuses the statement because of the transaction block it is in (SQLSTATE 25001). */
  async function isRefused({ sql, before = [] }: Case): Promise<boolean> {
    return withClient(database.url, async (client) => {
      await client.query("BEGIN");
      for (const statement of before) await client.query(statement);
      const code = await client.query(sql).then(
        () => null,
        (error: { code?: string }) => error.code,
      );
      await client.query("ROLLBACK");
      expect(code, `${sql} is not understood`).not.toBe("42601");
      return code === "25001";
    });
  }

  it.each(CASES)("$sql", async (one) => {
    if (major < (one.since ?? 0)) return;
    const { statements } = await splitSql(one.sql);
    expect(statements[0]?.transaction === "alone").toBe(await isRefused(one));
  });

  it.each(["REINDEX TABLE parts", "REINDEX INDEX parts_pkey", "CLUSTER parts USING parts_pkey"])(
    "asks the catalog about %s",
    async (sql) => {
      const { statements } = await splitSql(sql);
      expect(statements[0]).toMatchObject({
        transaction: "inside",
        catalogCheck: { kind: "partitioned-relation" },
      });
      // CLUSTER of a partitioned table came with 15.
      expect(await isRefused({ sql })).toBe(!(sql.startsWith("CLUSTER") && major < 15));
    },
  );
});
