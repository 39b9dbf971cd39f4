import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { launchServer } from "../../src/postgres/embedded/launch.ts";
import type { EmbeddedMajor } from "../../src/postgres/embedded/packages.ts";
import { processRuns } from "../../src/postgres/embedded/postmaster-file.ts";
import { createDatabase, startServer, type TestDatabase } from "../support/postgres.ts";

export type Query = (sql: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>;

/** Settings under which a commit is one: by default test servers may lose the last ones when they are killed. */
const DURABLE = { synchronous_commit: "on", full_page_writes: "on", max_connections: "250" };

/** A server and a database of a chaos test's own. */
export class World {
  readonly database: TestDatabase;
  readonly #major: EmbeddedMajor;
  readonly #first: Awaited<ReturnType<typeof startServer>>;
  #pid: number;
  #again: Awaited<ReturnType<typeof launchServer>> | null = null;
  #admin: Promise<Client> | null = null;

  private constructor(
    major: EmbeddedMajor,
    server: Awaited<ReturnType<typeof startServer>>,
    database: TestDatabase,
  ) {
    this.#major = major;
    this.#first = server;
    this.#pid = server.pid;
    this.database = database;
  }

  static async make(major: EmbeddedMajor): Promise<World> {
    const server = await startServer({ major, settings: DURABLE });
    return new World(major, server, await createDatabase({ server: server.conninfo }));
  }

  /** Asks over a session that is kept; after a restart over another one. */
  readonly query: Query = async (sql, values) => {
    this.#admin ??= this.#connect();
    const client = await this.#admin;
    try {
      return (await client.query<Record<string, unknown>>(sql, [...(values ?? [])])).rows;
    } catch (error) {
      this.#admin = null;
      await client.end().catch(() => undefined);
      throw error;
    }
  };

  /** Ends the server at once, as a crash does, and starts it again in the same place. */
  async restart(): Promise<void> {
    const admin = this.#admin;
    this.#admin = null;
    process.kill(this.#pid, "SIGQUIT");
    while (processRuns(this.#pid)) await delay(5);
    await admin?.then((client) => client.end()).catch(() => undefined);
    const { dataDirectory, port, parameters, socketDirectory } = this.#first;
    this.#again = await launchServer({
      major: this.#major,
      dataDirectory,
      port,
      password: parameters.password,
      socketDirectory,
      settings: { fsync: "off", ...DURABLE },
      env: process.env,
    });
    if (this.#again.port !== port) throw new Error("the server did not get its port again");
    this.#pid = this.#again.pid;
  }

  async stop(): Promise<void> {
    await this.#admin?.then((client) => client.end()).catch(() => undefined);
    await this.#again?.stop();
    await this.#first.stop();
  }

  async #connect(): Promise<Client> {
    const client = new Client({ connectionString: this.database.url, application_name: "chaos director" });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }
}
