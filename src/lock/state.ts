import type { Session } from "../postgres/session.ts";
import { isoTimestamp } from "../postgres/server-facts.ts";
import { ident, literal } from "../sql/quote.ts";
import type { LockProviderName } from "./gate.ts";
import { advisoryKey, lockKey, type LockScope } from "./key.ts";
import { leasedSql, sessionGoneSql } from "./lease-sql.ts";
import { unlessNotThere } from "./unless-not-there.ts";

/** What the row of a lock says, and whether it is true still. */
export interface LockState {
  /** `<stream>` or `<stream>/<schema>`. */
  readonly key: string;
  readonly provider: LockProviderName;
  readonly token: number;
  readonly runId: string;
  readonly host: string | null;
  /** null: given back, or behind a pooler. */
  readonly backendPid: number | null;
  /** ISO 8601 in UTC, as all times here; null where it is not known. */
  readonly backendStart: string | null;
  readonly acquiredAt: string;
  readonly renewedAt: string;
  /** Until when it is leased, or when it was given back; null: it lasts as long as its session. */
  readonly expiresAt: string | null;
  /** Since it was acquired, by the database's clock. */
  readonly heldSeconds: number;
  /** `stale`: not given back, but its holder is gone, so that the next run takes it. */
  readonly holding: "held" | "free" | "stale";
  /** Why, in words. */
  readonly because: string;
}

/**
 * Reads the state of a lock. Reads only; understands histories of version 1 as well.
 * @returns null where nobody ever held it, or the role may not read it.
 */
export async function readLockState(session: Session, scope: LockScope): Promise<LockState | null> {
  const rows =
    (await unlessNotThere(session.rows(stateSql(scope, LEASES)))) ??
    (await unlessNotThere(session.rows(stateSql(scope, BEFORE_LEASES))));
  const row = rows?.[0];
  if (row === undefined) return null;
  const backendPid = row.backend_pid ?? null;
  const [holding, because] = judge(row);
  return {
    key: lockKey(scope),
    provider: (row.provider ?? "advisory") as LockProviderName,
    token: Number(row.token),
    runId: row.owner ?? "",
    host: row.host ?? null,
    backendPid: backendPid === null || holding === "free" ? null : Number(backendPid),
    backendStart: row.backend_start ?? null,
    acquiredAt: row.acquired_at ?? "",
    renewedAt: row.renewed_at ?? "",
    expiresAt: row.expires_at ?? null,
    heldSeconds: Number(row.held),
    holding,
    because,
  };
}

/** Columns that version 2 brought. */
const LEASES = `l.provider, l.lease_ms, ${leasedSql("l")} AS leased`;
const BEFORE_LEASES = "'advisory' AS provider, NULL AS lease_ms, false AS leased";

function stateSql(scope: LockScope, columns: string): string {
  const times = ["acquired_at", "renewed_at", "expires_at", "backend_start"]
    .map((name) => `${isoTimestamp(`l.${name}`)} AS ${name}`)
    .join(", ");
  return `SELECT l.token, l.owner, l.host, l.backend_pid, ${times}, ${columns},
      extract(epoch FROM pg_catalog.clock_timestamp() - l.acquired_at) AS held,
      extract(epoch FROM pg_catalog.clock_timestamp() - l.expires_at) AS over,
      ${sessionGoneSql("l")} AS gone,
      EXISTS (SELECT FROM pg_catalog.pg_locks k WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 1
        AND k.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        AND ((k.classid::bigint << 32) | k.objid::bigint) = ${advisoryKey(scope)}::bigint) AS locked
    FROM ${ident(scope.schema)}.migration_locks l WHERE l.key = ${literal(lockKey(scope))}`;
}

function judge(row: Readonly<Record<string, string | null>>): [LockState["holding"], string] {
  const expires = row.expires_at ?? null;
  const pid = row.backend_pid ?? null;
  if (expires === null) {
    if (row.locked === "t") return ["held", "its session holds the advisory lock"];
    return ["stale", `backend ${pid} is gone`];
  }
  if ((row.lease_ms ?? null) === null) return ["free", "given back"];
  if (row.leased === "t") return ["held", "its lease lasts"];
  if (row.gone === "t") return ["stale", `backend ${pid} is gone`];
  const over = Number(row.over);
  return over >= 0
    ? ["stale", `its lease ended ${Math.round(over)} s ago`]
    : ["stale", "its lease was given in another database, or the clock was set back"];
}
