import { Client } from "pg";
import { BenchError } from "./bench-error.ts";
import type { BenchServer } from "./server.ts";

const PLAIN_NAME = /^[a-z][a-z0-9_]*$/;

/** Tables and indexes on their columns that migrations have made, wherever the tools keep their own. */
const OBJECTS = `
  SELECT count(*) FILTER (WHERE relkind = 'r')::int AS tables,
         count(*) FILTER (WHERE relkind = 'i' AND relname ~ '_name$')::int AS indexes
  FROM pg_catalog.pg_class
  WHERE relnamespace = 'public'::regnamespace AND relname ~ '^t_[0-9]+(_name)?$'`;

/** Drops a database if it is there and makes an empty one. Then nothing of earlier runs waits to be written. */
export async function freshDatabase(server: BenchServer, name: string): Promise<string> {
  if (!PLAIN_NAME.test(name)) throw new BenchError(`not a plain name of a database: ${name}`);
  await withClient(server.urlOf("postgres"), async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${name}`);
    await client.query("CHECKPOINT");
  });
  return server.urlOf(name);
}

/**
 * Makes sure that a peer did the whole work: `count` tables, `count` indexes and as much history.
 * @throws BenchError saying what is missing.
 */
export async function assertApplied(
  databaseUrl: string,
  peer: { readonly name: string; readonly historyCount: string },
  count: number,
): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const objects = await client.query<{ tables: number; indexes: number }>(OBJECTS);
    const history = await client.query<{ count: number }>(peer.historyCount);
    const found = { ...objects.rows[0], history: history.rows[0]?.count };
    if (found.tables === count && found.indexes === count && found.history === count) return;
    throw new BenchError(
      `${peer.name} left ${found.tables} tables, ${found.indexes} indexes and ${found.history} history rows ` +
        `where ${count} of each were to be`,
    );
  });
}

async function withClient(databaseUrl: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
