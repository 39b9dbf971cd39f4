import type { Node, RangeVar, SelectStmt } from "libpg-query";
import { type LockCollector, named } from "./collector.ts";
import { isHarmless } from "./harmless-functions.ts";
import { stringOf } from "../tree.ts";
import type { NamedRelation, Reach } from "./types.ts";

/** How far the planner goes from a relation of a query: into what inherits from it, and through views. */
const PLANNED: readonly Reach[] = ["itself", "children", "partitions", "base"];

export interface QueryOptions {
  /** `SELECT` for what is planned and run; `DEFINE` for what is only looked at, as the query of a new view. */
  readonly form: "SELECT" | "DEFINE";
}

/**
 * Everything that a query reads, wherever it stands in the tree, and what it changes in WITH. Names of WITH are left out,
 * wherever in the statement they are defined.
 */
export function queryLocks(node: unknown, locks: LockCollector, { form }: QueryOptions): void {
  const queries = withNames(node);
  walk(node, (kind, part) => {
    if (kind === "RangeVar") {
      const relation = part as RangeVar;
      if (relation.schemaname === undefined && queries.has(relation.relname ?? "")) return false;
      read(named(relation), relation.inh === true, form, locks);
      if (form === "SELECT") locks.touchesRows();
    }
    if (kind === "FuncCall") {
      const names = ((part as { funcname?: Node[] }).funcname ?? []).map(stringOf);
      if (form === "SELECT" && !isHarmless(names)) locks.mayLockMore("the functions that it calls");
    }
    if (kind === "SelectStmt") rowLocks(part as SelectStmt, queries, locks);
    if (kind === "InsertStmt" || kind === "UpdateStmt" || kind === "DeleteStmt" || kind === "MergeStmt") {
      const { relation } = part as { relation?: RangeVar };
      locks.subject(kind.replace("Stmt", "").toUpperCase(), named(relation), changed(relation));
      locks.touchesRows();
    }
    return true;
  });
}

function read(relation: NamedRelation | null, recurses: boolean, form: string, locks: LockCollector): void {
  locks.subject(form, relation, recurses ? PLANNED : ["itself", "base"]);
}

function changed(relation: RangeVar | undefined): readonly Reach[] {
  return relation?.inh === true ? PLANNED : ["itself", "base"];
}

/** FOR UPDATE and its like: of the tables that it names, or of all in this FROM. */
function rowLocks(select: SelectStmt, queries: ReadonlySet<string>, locks: LockCollector): void {
  for (const one of select.lockingClause ?? []) {
    if (!("LockingClause" in one)) continue;
    const only = (one.LockingClause.lockedRels ?? []).flatMap((rel) =>
      "RangeVar" in rel ? [rel.RangeVar.relname] : [],
    );
    walk(select.fromClause, (kind, part) => {
      if (kind !== "RangeVar") return true;
      const relation = part as RangeVar;
      const called = relation.alias?.aliasname ?? relation.relname;
      if (relation.schemaname === undefined && queries.has(relation.relname ?? "")) return false;
      if (only.length > 0 && !only.includes(called)) return false;
      locks.subject(
        "SELECT FOR UPDATE",
        named(relation),
        relation.inh === true ? PLANNED : ["itself", "base"],
      );
      return true;
    });
  }
}

function withNames(node: unknown): Set<string> {
  const names = new Set<string>();
  walk(node, (kind, part) => {
    if (kind === "CommonTableExpr") names.add((part as { ctename?: string }).ctename ?? "");
    return true;
  });
  return names;
}

/** Calls `visit` for every node, by its kind; does not go into a node for which it returns false. */
function walk(node: unknown, visit: (kind: string, part: unknown) => boolean): void {
  if (typeof node !== "object" || node === null) return;
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit);
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    // Where the grammar allows one kind of node alone, its fields stand right under the name of the field.
    const kind = /^[A-Z]/.test(key) ? key : (PLAIN_FIELDS[key] ?? "");
    if (kind === "" || visit(kind, value)) walk(value, visit);
  }
}

const PLAIN_FIELDS: Readonly<Record<string, string>> = { larg: "SelectStmt", rarg: "SelectStmt" };
