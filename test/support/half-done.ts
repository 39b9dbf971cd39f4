import { expect } from "vitest";
import type { Run } from "../../src/index.ts";
import { withClient, type TestDatabase } from "./postgres.ts";
import { eventsOf } from "./project.ts";

/** Makes the ledger say of the first statement, which was done, what a crash would have left; the file has a second one. */
export async function forgetOutcome(database: TestDatabase, ordinal = 1): Promise<void> {
  await database.query("DELETE FROM godwit.migration_steps WHERE ordinal > $1", [ordinal]);
  await database.query("UPDATE godwit.migration_steps SET state = 'intended' WHERE ordinal = $1", [ordinal]);
}

export async function reasons(run: Run<unknown>): Promise<string[]> {
  return (await eventsOf(run, "statement.skipped")).map(({ reason }) => reason);
}

export interface Indexed {
  readonly name: string;
  readonly valid: boolean;
}

export async function indexesOf(database: TestDatabase, table: string): Promise<Indexed[]> {
  return database.query(
    `SELECT c.relname AS name, indisvalid AS valid FROM pg_index JOIN pg_class c ON c.oid = indexrelid
     WHERE indrelid = to_regclass($1) ORDER BY 1`,
    [table],
  );
}

/** An INVALID index, as a killed CREATE INDEX CONCURRENTLY leaves it: the duplicates that it fails for are removed. */
export async function leaveInvalid(database: TestDatabase, name: string): Promise<void> {
  await database.query("INSERT INTO t VALUES (1, 'x'), (1, 'y')");
  await expect(
    withClient(database.url, (client) => client.query(`CREATE UNIQUE INDEX CONCURRENTLY ${name} ON t (id)`)),
  ).rejects.toThrow("could not create unique index");
  await database.query("DELETE FROM t");
}
