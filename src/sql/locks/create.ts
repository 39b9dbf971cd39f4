import type {
  CreateStmt,
  CreateTableAsStmt,
  CreateTrigStmt,
  IndexStmt,
  RangeVar,
  ViewStmt,
} from "libpg-query";
import { referenceTo } from "./alter-table.ts";
import { type LockCollector, named } from "./collector.ts";
import { columnConstraints, foreignKeys } from "./constraints.ts";
import { queryLocks } from "./query.ts";

/** CREATE TABLE: the new table is nobody's yet, but what it refers to is. */
export function createTableLocks(create: CreateStmt, locks: LockCollector): void {
  const {
    constraints = [],
    if_not_exists: ifNotExists,
    inhRelations = [],
    partbound,
    tableElts = [],
  } = create;
  // With IF NOT EXISTS it may be an old one.
  if (ifNotExists !== true) locks.creates(named(create.relation));
  for (const one of inhRelations) {
    if (!("RangeVar" in one)) continue;
    const parent = named(one.RangeVar);
    if (partbound === undefined) locks.other("CREATE TABLE INHERITS", parent, ["itself"]);
    else {
      locks.other("CREATE TABLE PARTITION OF", parent, ["itself", "default partition", "referenced"]);
      locks.touchesRows();
    }
  }
  for (const element of tableElts) {
    if ("TableLikeClause" in element) {
      locks.other("CREATE TABLE LIKE", named(element.TableLikeClause.relation), ["itself"]);
    }
  }
  const all = [...constraints, ...tableElts, ...tableElts.flatMap(columnConstraints)];
  for (const key of foreignKeys(all)) referenceTo(key, "CREATE TABLE REFERENCES", locks);
}

/** CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW. */
export function createFromQueryLocks(create: CreateTableAsStmt, locks: LockCollector): void {
  const { if_not_exists: ifNotExists, into, query } = create;
  if (ifNotExists !== true) locks.creates(named(into?.rel));
  queryLocks(query, locks, { form: into?.skipData === true ? "DEFINE" : "SELECT" });
}

export function createViewLocks({ query, replace, view }: ViewStmt, locks: LockCollector): void {
  if (replace === true) locks.subject("CREATE OR REPLACE VIEW", named(view), ["itself"]);
  else locks.creates(named(view));
  queryLocks(query, locks, { form: "DEFINE" });
}

export function createIndexLocks(index: IndexStmt, locks: LockCollector): void {
  const { concurrent, idxname: name, if_not_exists: ifNotExists, relation } = index;
  const form = concurrent === true ? "CREATE INDEX CONCURRENTLY" : "CREATE INDEX";
  locks.subject(form, named(relation), relation?.inh === true ? ["itself", "partitions"] : ["itself"]);
  locks.touchesRows();
  if (name !== undefined && ifNotExists !== true)
    locks.creates({ schema: relation?.schemaname ?? null, name });
}

/** A trigger for each row is made on every partition too. */
export function createTriggerLocks(trigger: CreateTrigStmt, locks: LockCollector): void {
  const { constrrel, relation, row } = trigger;
  locks.subject("CREATE TRIGGER", named(relation), row === true ? ["itself", "partitions"] : ["itself"]);
  locks.other("CREATE TRIGGER", named(constrrel), ["itself"]);
}

/** What stands in the definition of a rule or a policy is read when it is made. */
export function definitionLocks(
  form: string,
  on: RangeVar | undefined,
  parts: unknown,
  locks: LockCollector,
): void {
  locks.subject(form, named(on), ["itself"]);
  queryLocks(parts, locks, { form: "DEFINE" });
}
