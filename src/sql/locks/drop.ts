import type { DropStmt, ObjectType, TruncateStmt } from "libpg-query";
import { type LockCollector, named } from "./collector.ts";
import { partsOf, relationOf } from "./names.ts";
import type { Reach } from "./types.ts";

/** Kinds of objects that are relations, with what their end reaches. */
const RELATIONS: Readonly<Partial<Record<ObjectType, readonly Reach[]>>> = {
  OBJECT_TABLE: ["itself", "partitions", "parent", "own referenced", "sequences"],
  OBJECT_FOREIGN_TABLE: ["itself", "parent"],
  OBJECT_INDEX: ["itself", "table", "partitions", "tables of partitions"],
  OBJECT_VIEW: ["itself"],
  OBJECT_MATVIEW: ["itself"],
  OBJECT_SEQUENCE: ["itself", "owner"],
};

/** What stands on a table: the last part of the name is its own, those before are the table's. */
const ON_A_TABLE: ReadonlySet<ObjectType> = new Set([
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
  "OBJECT_POLICY",
] as const);

/** Objects that nothing hangs on which could hold a table up. */
const FREE: ReadonlySet<ObjectType> = new Set([
  "OBJECT_PUBLICATION",
  "OBJECT_EVENT_TRIGGER",
  "OBJECT_ACCESS_METHOD",
  "OBJECT_FDW",
  "OBJECT_FOREIGN_SERVER",
] as const);

export function dropLocks(drop: DropStmt, locks: LockCollector): void {
  const { behavior, concurrent, objects = [], removeType = "OBJECT_TABLE" } = drop;
  const words = removeType.replace("OBJECT_", "").replaceAll("_", " ");
  const form = `DROP ${words}${concurrent === true ? " CONCURRENTLY" : ""}`;
  const cascades = behavior === "DROP_CASCADE";
  for (const object of objects) {
    const parts = partsOf(object);
    const reaches = RELATIONS[removeType];
    if (reaches !== undefined) {
      const relation = relationOf(parts);
      locks.subject(form, relation, reaches);
      if (cascades) locks.subject(`${form} CASCADE`, relation, ["children", "referencing", "views"]);
    } else if (ON_A_TABLE.has(removeType)) {
      locks.subject(form, relationOf(parts.slice(0, -1)), ["itself", "partitions"]);
    } else if (removeType === "OBJECT_STATISTIC_EXT") {
      locks.subject("DROP STATISTICS", relationOf(parts), ["of statistics"]);
    } else if (cascades || removeType === "OBJECT_EXTENSION" || !FREE.has(removeType)) {
      if (cascades) locks.mayLockMore("what depends on it");
    }
  }
}

export function truncateLocks(truncate: TruncateStmt, locks: LockCollector): void {
  const { behavior, relations = [], restart_seqs: restarts } = truncate;
  for (const one of relations) {
    if (!("RangeVar" in one)) continue;
    const table = named(one.RangeVar);
    locks.subject(
      "TRUNCATE",
      table,
      one.RangeVar.inh === true ? ["itself", "children", "partitions"] : ["itself"],
    );
    if (behavior === "DROP_CASCADE") locks.subject("TRUNCATE CASCADE", table, ["cascade"]);
    if (restarts === true) locks.subject("TRUNCATE RESTART IDENTITY", table, ["sequences"]);
  }
}
