import type { Session } from "../../postgres/session.ts";
import { modeOf } from "../../sql/locks/mode-of.ts";
import type { LockMode, LockRequest } from "../../sql/locks/types.ts";
import { literal, qualified } from "../../sql/quote.ts";
import { askCatalog } from "./ask-catalog.ts";
import { reachSql } from "./reach-sql.ts";

/** A relation that a request means. */
export interface FoundRelation<R> {
  readonly request: R;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** On this version of the server; null: it takes none. */
  readonly mode: LockMode | null;
  /** Whether LOCK TABLE takes it, and from this role. */
  readonly lockable: boolean;
  /** How many tables its foreign keys lead to, directly or by way of others: less than that of whatever refers to it. */
  readonly depth: number;
}

/**
 * The relations that requests mean in the live catalog, in one question; what is not there is left out. No transaction may be
 * open.
 * @param searchPath to look names up along, ready for SET; null: the session's own.
 * @throws as `askCatalog`.
 */
export async function resolveLocks<R extends LockRequest>(
  session: Session,
  searchPath: string | null,
  requests: readonly R[],
): Promise<readonly FoundRelation<R>[]> {
  if (requests.length === 0) return [];
  const asked = requests.map(({ schema, name, reach, through }, n) => ({
    n,
    name: qualified(schema, name),
    reach,
    through,
  }));
  const reaches = new Set(requests.map(({ reach }) => reach));
  const question = reachSql(reaches).replace("$ASKED", () => literal(JSON.stringify(asked)));
  const rows = await askCatalog(session, question, searchPath);
  return rows.map((row) => ({
    request: requests[Number(row.n)]!,
    oid: Number(row.oid),
    schema: row.schema!,
    name: row.name!,
    mode: modeOf(requests[Number(row.n)]!, Math.floor(Number(row.version) / 10_000)),
    lockable: row.lockable === "t",
    depth: Number(row.depth),
  }));
}
