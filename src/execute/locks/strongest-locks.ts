import { courtesyOf, stronger } from "../../sql/locks/conflicts.ts";
import type { LockMode } from "../../sql/locks/types.ts";
import type { FoundRelation } from "./resolve-locks.ts";
import type { EarlyLock } from "./take-locks.ts";
import type { WantedRequest } from "./wanted-locks.ts";

/** A relation of the catalog that a transaction is going to lock so strongly that others queue up behind it. */
export interface Wanted extends EarlyLock {
  readonly oid: number;
  /** As much of it as can be taken at the beginning, by LOCK TABLE; null: nothing. */
  readonly early: LockMode | null;
}

/** The strongest queueing lock on each relation. */
export function strongestOf(relations: readonly FoundRelation<WantedRequest>[]): Wanted[] {
  const found = new Map<number, Wanted>();
  for (const { depth, lockable, mode, name, oid, request, schema } of relations) {
    if (mode === null || courtesyOf(mode) !== "queueing") continue;
    const before = found.get(oid);
    const own = lockable && request.early ? mode : null;
    const early = own === null ? (before?.early ?? null) : stronger(own, before?.early ?? own);
    found.set(oid, { oid, schema, name, depth, early, mode: stronger(mode, before?.mode ?? mode) });
  }
  return [...found.values()];
}
