import { Client } from "pg";
import { expect, onTestFinished } from "vitest";
import type { TestDatabase } from "../../support/postgres.ts";

const KEY = 424242;

/** A statement that waits for as long as the gate of its database is shut; put `PATIENT` at the top of its file. */
export const AT_GATE = `SELECT pg_advisory_xact_lock_shared(${KEY});`;
/** What a file at the gate begins with, since a lock_timeout bounds this wait too. */
export const PATIENT = "-- godwit:lock_timeout 1min\n";

export interface Gate {
  /** Waits until so many statements wait at the gate. */
  reached(count?: number): Promise<void>;
  open(): Promise<void>;
}

/** Connects for the running test. */
export async function testClient(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: "test" });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** Shuts the gate of a database for the running test. */
export async function shutGate(database: TestDatabase): Promise<Gate> {
  const client = await testClient(database.url);
  await client.query("SELECT pg_advisory_lock($1)", [KEY]);
  return {
    async reached(count = 1) {
      await expect
        .poll(
          () =>
            database.query(
              `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objid = ${KEY}`,
            ),
          { timeout: 20_000, interval: 20 },
        )
        .toEqual([{ n: count }]);
    },
    async open() {
      await client.query("SELECT pg_advisory_unlock($1)", [KEY]);
    },
  };
}

/** The sessions of Godwit in a database: those that hold a lock carry its name and token. */
export interface GodwitSession {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly query: string;
  readonly inTransaction: boolean;
  readonly hasSnapshot: boolean;
  readonly waits: string | null;
}

export async function godwitSessions(database: TestDatabase): Promise<GodwitSession[]> {
  const rows = await database.query<Record<keyof GodwitSession, never>>(
    `SELECT pid, application_name AS name, state, query, xact_start IS NOT NULL AS "inTransaction",
       backend_xmin IS NOT NULL AS "hasSnapshot", wait_event_type AS waits
     FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'godwit%' ORDER BY backend_start`,
  );
  return rows;
}

/** Waits until no session of Godwit is left in a database. */
export async function nobodyLeft(database: TestDatabase): Promise<void> {
  await expect.poll(() => godwitSessions(database), { timeout: 10_000, interval: 50 }).toEqual([]);
}
