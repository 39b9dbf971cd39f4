import type { AlterTableStmt, Constraint, Node } from "libpg-query";
import { stringOf } from "../../sql/tree.ts";

/** A column or a constraint that ALTER TABLE adds. */
export interface Addition {
  readonly kind: "column" | "constraint";
  /** null: a primary key without a name, of which a table has one at most. */
  readonly name: string | null;
  /** Whether the name is the one that the server would choose first: it takes another one if that is in use. */
  readonly chosen: boolean;
  /** IF NOT EXISTS, which columns alone can have. */
  readonly skipsItself: boolean;
}

/** What ALTER TABLE adds, as far as it can be found by name. */
export function additionsOf({ relation, cmds = [] }: AlterTableStmt): Addition[] {
  return cmds.flatMap((node): Addition[] => {
    if (!("AlterTableCmd" in node)) return [];
    const { subtype, def, missing_ok: missingOk } = node.AlterTableCmd;
    if (def === undefined) return [];
    if (subtype === "AT_AddColumn" && "ColumnDef" in def) {
      const { colname } = def.ColumnDef;
      if (colname === undefined) return [];
      return [{ kind: "column", name: colname, chosen: false, skipsItself: missingOk === true }];
    }
    if (subtype !== "AT_AddConstraint" || !("Constraint" in def)) return [];
    const { conname, contype, indexname } = def.Constraint;
    const own = { kind: "constraint", skipsItself: false } as const;
    // One that is made of an index is called like it.
    const given = conname ?? indexname;
    if (given !== undefined) return [{ ...own, name: given, chosen: false }];
    if (contype === "CONSTR_PRIMARY") return [{ ...own, name: null, chosen: false }];
    const name = chosenName(relation?.relname ?? "", def.Constraint);
    return name === null ? [] : [{ ...own, name, chosen: true }];
  });
}

/** Longest name that the server does not shorten, in bytes (manual 4.1.1). */
const LONGEST = 63;

/**
 * The name that the server gives to a constraint without one: the table, the columns and the kind, put together by
 * underscores (measured on 14–18). null: it would be shortened, or is not known.
 */
function chosenName(table: string, constraint: Constraint): string | null {
  const parts = partsOf(constraint);
  if (parts === null) return null;
  const name = [table, ...parts].join("_");
  return Buffer.byteLength(name) > LONGEST ? null : name;
}

function partsOf({
  contype,
  keys = [],
  fk_attrs: columns = [],
  raw_expr: expression,
}: Constraint): string[] | null {
  if (contype === "CONSTR_UNIQUE") return [...names(keys), "key"];
  if (contype === "CONSTR_FOREIGN") return [...names(columns), "fkey"];
  if (contype !== "CONSTR_CHECK") return null;
  const used = columnsIn(expression);
  return used.size === 1 ? [...used, "check"] : ["check"];
}

function names(nodes: readonly Node[]): string[] {
  return nodes.map((node) => stringOf(node) ?? "");
}

/** Names of the columns that an expression reads. */
function columnsIn(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "ColumnRef") {
      const { fields = [] } = inner as { readonly fields?: readonly Node[] };
      const name = stringOf(fields.at(-1));
      if (name !== undefined) found.add(name);
    } else columnsIn(inner, found);
  }
  return found;
}
