import { createHash } from "node:crypto";

/** What a lock protects: one stream on one target. */
export interface LockScope {
  /** Schema of the history: two histories in one database do not disturb each other. */
  readonly schema: string;
  readonly stream: string;
  /** Empty for a whole database. */
  readonly targetSchema: string;
}

/** The key as a person reads it, and as it stands in `migration_locks`: `<stream>` or `<stream>/<schema>`. */
export function lockKey(scope: LockScope): string {
  return scope.targetSchema === "" ? scope.stream : `${scope.stream}/${scope.targetSchema}`;
}

/**
 * The key as a signed 64-bit number for the advisory lock functions (PostgreSQL manual 9.28.10), in decimal.
 * Advisory locks are local to a database, so the database needs no part in it.
 */
export function advisoryKey(scope: LockScope): string {
  return digest(scope).readBigInt64BE(0).toString();
}

/** The channel on which it is told that the lock was given back; like the lock, it is local to a database. */
export function lockChannel(scope: LockScope): string {
  return `godwit_lock_${digest(scope).toString("hex", 0, 8)}`;
}

/** Prefix of application_name that all sessions of holders of this lock carry; at most 16 bytes. */
export function holderPrefix(scope: LockScope): string {
  return `godwit/${digest(scope).toString("hex", 0, 4)}/`;
}

/** application_name of a holder's work session: prefix, token and run id; fits in the 63 bytes that a name may have. */
export function holderName(scope: LockScope, token: number, runId: string): string {
  return `${holderPrefix(scope)}${token}/${runId.replaceAll("-", "")}`;
}

function digest(scope: LockScope): Buffer {
  return createHash("sha256")
    .update(JSON.stringify(["godwit lock 1", scope.schema, scope.stream, scope.targetSchema]))
    .digest();
}
