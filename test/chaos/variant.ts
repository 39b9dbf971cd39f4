import { advisoryKey, holderName, lockKey, type LockScope } from "../../src/lock/key.ts";
import { literal } from "../../src/sql/quote.ts";
import type { Pooler } from "../integration/safety/pgbouncer.ts";
import type { RedisServer } from "../support/redis.ts";
import type { Query } from "./world.ts";

export const SCOPE: LockScope = { schema: "godwit", stream: "default", targetSchema: "" };

/** A way to hold the lock and to reach the database, as a contest is held under it. */
export interface Variant {
  readonly name: string;
  /** The configuration of a project for the database at this URL; empty: none. */
  readonly config: (url: string) => string;
  /** How the processes reach the database at this URL. */
  readonly urlFor: (url: string) => string;
  /** Whether sessions of the server are kept by a pooler, and say nothing about who is at work. */
  readonly isPooled: boolean;
  /** Whether a gate keeps others from trying, so that whoever passes it can be struck before the lock is claimed. */
  readonly isGated: boolean;
  /** How long a holder stands still under SIGSTOP, in milliseconds. */
  readonly stopMs: number;
  /** Whether others take over from one that stands still for so long. */
  readonly overtakes: boolean;
  /** The Redis that keeps the gate. */
  readonly redis?: RedisServer;
}

export const ADVISORY: Variant = {
  name: "an advisory lock",
  config: () => "",
  urlFor: (url) => url,
  isPooled: false,
  isGated: true,
  stopMs: 400,
  overtakes: false,
};

/** How long a lease lasts: longer than a busy machine lets a process wait for its turn. */
const LEASE_MS = 3000;

export const LEASE: Variant = {
  ...ADVISORY,
  name: "a lease",
  config: () => `lock: { provider: lease, lease: ${LEASE_MS}ms }\n`,
  isGated: false,
  stopMs: LEASE_MS + 1500,
  overtakes: true,
};

/** A lease through a pooler that hands sessions to others between transactions. */
export function pooledLease(pooler: Pooler, withDirectUrl: boolean): Variant {
  return {
    ...LEASE,
    name: `a lease through PgBouncer ${withDirectUrl ? "with" : "without"} direct_url`,
    config: (url) => `${LEASE.config(url)}${withDirectUrl ? `direct_url: ${JSON.stringify(url)}\n` : ""}`,
    urlFor: (url) => pooler.urlFor(url),
    isPooled: true,
  };
}

export function redisLock(redis: RedisServer): Variant {
  return {
    ...LEASE,
    name: "Redis",
    config: () => `lock: { provider: redis, redis: ${JSON.stringify(redis.url)}, lease: ${LEASE_MS}ms }\n`,
    isGated: true,
    redis,
  };
}

/** The right of a run to write: what the row of the lock says while it holds it. */
export interface Ownership {
  readonly token: number;
  readonly runId: string;
}

const ROW = `SELECT token, owner, expires_at IS NULL OR expires_at > clock_timestamp() AS held
  FROM godwit.migration_locks WHERE key = ${literal(lockKey(SCOPE))}`;

/** Who has claimed the lock; null: nobody, or it was given back or has run out. */
export async function ownerIn(query: Query): Promise<Ownership | null> {
  const [row] = await query(ROW);
  return row?.["held"] === true ? { token: Number(row["token"]), runId: String(row["owner"]) } : null;
}

/** The sessions that hold the advisory lock, by name: of those that have it, or are about to, as a lease is given. */
export async function advisoryHolders(query: Query): Promise<string[]> {
  const rows = await query(
    `SELECT a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND ((l.classid::bigint << 32) | l.objid::bigint) = ${advisoryKey(SCOPE)}`,
  );
  return rows.map(({ name }) => String(name));
}

/**
 * Ends the sessions of a run in the server.
 * @param name of those that it has before it works in them.
 * @returns how many there were.
 */
export async function endSessions(query: Query, name: string, ownership: Ownership | null): Promise<number> {
  const working = ownership === null ? name : holderName(SCOPE, ownership.token, ownership.runId);
  const rows = await query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ($1, $2)",
    [name, working],
  );
  return rows.length;
}
