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
  const { parts, queries } = partsOfQuery(node);
  for (const { kind, part } of parts) {
    if (kind === "RangeVar") {
      const relation = part as RangeVar;
      if (relation.schemaname === undefined && queries.has(relation.relname ?? "")) continue;
      read(named(relation), relation.inh === true, form, locks);
      if (form === "SELECT") locks.touchesRows();
    } else if (kind === "FuncCall") {
      const names = ((part as { funcname?: Node[] }).funcname ?? []).map(stringOf);
      if (form === "SELECT" && !isHarmless(names)) locks.mayLockMore("the functions that it calls");
    } else if (kind === "SelectStmt") rowLocks(part as SelectStmt, queries, locks);
    else {
      const { relation } = part as { relation?: RangeVar };
      locks.subject(kind.replace("Stmt", "").toUpperCase(), named(relation), changed(relation));
      locks.touchesRows();
    }
  }
}

/** A part of a query that says something of its locks. */
interface QueryPart {
  readonly kind: string;
  readonly part: unknown;
}

const TELLING = new Set([
  "RangeVar",
  "FuncCall",
  "SelectStmt",
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
]);

/** What counts of a query, in its order, and the names of WITH: gone through once, since rows of data make a tree large. */
function partsOfQuery(node: unknown): {
  readonly parts: readonly QueryPart[];
  readonly queries: ReadonlySet<string>;
} {
  const parts: QueryPart[] = [];
  const queries = new Set<string>();
  walk(node, (kind, part) => {
    if (TELLING.has(kind)) parts.push({ kind, part });
    else if (kind === "CommonTableExpr") queries.add((part as { ctename?: string }).ctename ?? "");
  });
  return { parts, queries };
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
      if (kind !== "RangeVar") return;
      const relation = part as RangeVar;
      const called = relation.alias?.aliasname ?? relation.relname;
      if (relation.schemaname === undefined && queries.has(relation.relname ?? "")) return;
      if (only.length > 0 && !only.includes(called)) return;
      locks.subject(
        "SELECT FOR UPDATE",
        named(relation),
        relation.inh === true ? PLANNED : ["itself", "base"],
      );
    });
  }
}

/** Calls `visit` for every node, by its kind. */
function walk(node: unknown, visit: (kind: string, part: object) => void): void {
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const fields = node as Readonly<Record<string, unknown>>;
  for (const key in fields) {
    const value = fields[key];
    if (typeof value !== "object" || value === null) continue;
    // Where the grammar allows one kind of node alone, its fields stand right under the name of the field.
    const first = key.charCodeAt(0);
    const kind = first >= A && first <= Z ? key : key === "larg" || key === "rarg" ? "SelectStmt" : null;
    if (kind !== null) {
      if (LEAVES.has(kind)) continue;
      visit(kind, value);
      if (kind === "RangeVar") continue;
    }
    walk(value, visit);
  }
}

/** Most of a tree, with nothing below that counts. */
const LEAVES = new Set(["A_Const", "ColumnRef", "ParamRef", "String", "TypeName"]);

const A = 65;
const Z = 90;
