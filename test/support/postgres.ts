import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier, Pool, type PoolClient, type QueryResult, type QueryResultRow } from "pg";
import { inject, onTestFinished } from "vitest";

export { startServer, testMajor } from "./server.ts";

/** A database of a test's own. */
export interface TestDatabase {
  readonly name: string;
  /** As its owner: the superuser, or the role it was made for. */
  readonly url: string;
  /** Runs SQL in it over a connection made for this call. */
  query<R extends QueryResultRow = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<R[]>;
  /** Drops it, ending whoever is still connected. */
  drop(): Promise<void>;
}

export interface CreateDatabaseOptions {
  /** A database nobody is connected to, to copy; left out: an empty one. */
  readonly template?: string;
  readonly owner?: string;
  /** The server; left out: the one this run shares. */
  readonly server?: string;
}

/** Superuser URL of the server this run shares, database `postgres`. */
export function serverUrl(): string {
  return inject("testServerUrl");
}

/** Makes a database in about 10 ms. The caller drops it. */
export async function createDatabase(options: CreateDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.server ?? serverUrl();
  const name = uniqueName("t");
  const parts = [`CREATE DATABASE ${name}`];
  if (options.owner !== undefined) parts.push(`OWNER ${escapeIdentifier(options.owner)}`);
  if (options.template !== undefined) parts.push(`TEMPLATE ${escapeIdentifier(options.template)}`);
  // With fsync off copying files is several times as fast as writing the copy to the log.
  if ((await serverVersion(server)) >= 150_000) parts.push("STRATEGY file_copy");
  await administer(server, parts.join(" "));
  const url = urlOf(server, { database: name });
  return {
    name,
    url,
    query: (sql, values) => query(url, sql, values),
    drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** Makes a database for the running test and drops it when the test ends. Only inside a test. */
export async function testDatabase(options: CreateDatabaseOptions = {}): Promise<TestDatabase> {
  const database = await createDatabase(options);
  onTestFinished(() => database.drop());
  return database;
}

/** A role of a test's own; roles belong to the whole server, so the name is unique. */
export interface TestRole {
  readonly name: string;
  readonly password: string;
  /** A URL with this role in place of another. */
  urlFor(url: string): string;
  /** Drops the role and what it owns or was granted in the databases named. */
  drop(urls?: readonly string[]): Promise<void>;
}

/**
 * Makes a role that may log in. The caller drops it, or the server's end does.
 * @param attributes as in CREATE ROLE: `CREATEDB NOINHERIT` …
 */
export async function createRole(attributes = "", server: string = serverUrl()): Promise<TestRole> {
  const name = uniqueName("r");
  const password = randomBytes(12).toString("hex");
  await administer(server, `CREATE ROLE ${name} LOGIN PASSWORD '${password}' ${attributes}`);
  return {
    name,
    password,
    urlFor: (url) => urlOf(url, { user: name, password }),
    drop: async (urls = []) => {
      for (const url of urls) await query(url, `DROP OWNED BY ${name} CASCADE`);
      await administer(server, `DROP ROLE IF EXISTS ${name}`);
    },
  };
}

/** Runs SQL over a connection made for this call; rows of the last statement. */
export async function query<R extends QueryResultRow = Record<string, unknown>>(
  url: string,
  sql: string,
  values?: readonly unknown[],
): Promise<R[]> {
  return withClient(url, async (client) => {
    const result: QueryResult<R> | QueryResult<R>[] =
      values === undefined ? await client.query<R>(sql) : await client.query<R>(sql, [...values]);
    return (Array.isArray(result) ? result.at(-1)?.rows : result.rows) ?? [];
  });
}

/** Connects, hands the client to `work` and disconnects. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // The server may end the session while the test looks elsewhere; its next query then says so.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A URL with parts replaced. */
export function urlOf(
  url: string,
  parts: { readonly database?: string; readonly user?: string; readonly password?: string },
): string {
  const result = new URL(url);
  if (parts.database !== undefined) result.pathname = `/${encodeURIComponent(parts.database)}`;
  if (parts.user !== undefined) result.username = encodeURIComponent(parts.user);
  if (parts.password !== undefined) result.password = encodeURIComponent(parts.password);
  return result.href;
}

/** `server_version_num`: 180004 for 18.4. */
export async function serverVersion(server: string = serverUrl()): Promise<number> {
  let version = versions.get(server);
  if (version === undefined) {
    version = withAdmin(server, async (client) => {
      const { rows } = await client.query<{ num: string }>(
        "SELECT current_setting('server_version_num') AS num",
      );
      return Number(rows[0]?.num);
    });
    versions.set(server, version);
  }
  return version;
}

export interface PsqlResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs psql against a URL, without a psqlrc.
 * @returns null when this machine has no psql.
 */
export async function runPsql(
  url: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<PsqlResult | null> {
  const { promise, resolve, reject } = Promise.withResolvers<PsqlResult | null>();
  const child = spawn("psql", ["-X", "-d", url, ...args], { env: { ...process.env, ...options.env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  child.stdin.on("error", () => undefined);
  child.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") resolve(null);
    else reject(error);
  });
  child.once("close", (status) => resolve({ status, stdout, stderr }));
  child.stdin.end(options.input ?? "");
  return promise;
}

const versions = new Map<string, Promise<number>>();
const pools = new Map<string, Pool>();
let names = 0;

function uniqueName(prefix: string): string {
  return `${prefix}_${process.pid}_${++names}_${randomBytes(3).toString("hex")}`;
}

async function administer(server: string, sql: string): Promise<void> {
  await withAdmin(server, (client) => client.query(sql));
}

/** Connections to the server's own database are kept: making one costs as much as making a database. */
async function withAdmin<T>(server: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
  let pool = pools.get(server);
  if (pool === undefined) {
    pool = new Pool({ connectionString: server, max: 2, idleTimeoutMillis: 2000, allowExitOnIdle: true });
    pool.on("error", () => undefined);
    pools.set(server, pool);
  }
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}
