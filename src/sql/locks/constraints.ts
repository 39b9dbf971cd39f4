import type { Constraint, Node } from "libpg-query";

/** The constraints that stand with a column. */
export function columnConstraints(column: Node): readonly Node[] {
  return "ColumnDef" in column ? (column.ColumnDef.constraints ?? []) : [];
}

/** The foreign keys among constraints. */
export function foreignKeys(constraints: readonly Node[]): Constraint[] {
  return constraints.flatMap((one) =>
    "Constraint" in one && one.Constraint.contype === "CONSTR_FOREIGN" ? [one.Constraint] : [],
  );
}
