import { advisoryKey, type LockScope } from "../../src/lock/key.ts";
import type { Query } from "./world.ts";

export const SCOPE: LockScope = { schema: "godwit", stream: "default", targetSchema: "" };

/** A way to hold the lock, as the chaos sees it from outside. */
export interface LockVariant {
  readonly name: string;
  /** What the configuration says of it; empty: nothing. */
  readonly config: string;
  /** Whether others take over from a holder that stands still. */
  readonly overtakes: boolean;
  /** How long SIGSTOP lasts, in milliseconds. */
  readonly stopMs?: number;
  /** The backend of the session by that name, if it holds the lock; null: it does not. */
  holder(query: Query, name: string): Promise<number | null>;
  /** Whether that backend holds the lock. */
  holds(query: Query, backend: number): Promise<boolean>;
  /** Whether anybody does. */
  isHeld(query: Query): Promise<boolean>;
  /** Called when the server was started again. */
  readonly restarted?: () => Promise<void>;
}

const HOLDERS = `SELECT l.pid, a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((l.classid::bigint << 32) | l.objid::bigint) = ${advisoryKey(SCOPE)}`;

export const ADVISORY: LockVariant = {
  name: "advisory",
  config: "",
  overtakes: false,
  async holder(query, name) {
    const found = (await query(HOLDERS)).find((row) => row["name"] === name);
    return found === undefined ? null : Number(found["pid"]);
  },
  holds: async (query, backend) => (await query(HOLDERS)).some(({ pid }) => pid === backend),
  isHeld: async (query) => (await query(HOLDERS)).length > 0,
};
