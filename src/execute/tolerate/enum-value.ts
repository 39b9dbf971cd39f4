import type { AlterEnumStmt, Node } from "libpg-query";
import { literal, qualified, ident } from "../../sql/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { Creation } from "./creation.ts";
import { nameOfList } from "./names.ts";

/** ALTER TYPE … ADD VALUE: the value is there where the statement says, at the end if it does not say. */
export function enumValueCreation(
  _sql: string,
  statement: AlterEnumStmt,
  later: readonly Node[],
): Creation | null {
  const { typeName, newVal = "", newValNeighbor, newValIsAfter, oldVal } = statement;
  if (oldVal !== undefined) return null;
  const written = nameOfList(typeName);
  return {
    async lookup(session) {
      const [row] = await session.rows(
        `SELECT t.oid, t.typname AS name, n.nspname AS schema FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid WHERE t.oid = pg_catalog.to_regtype($1) AND e.enumlabel = $2::pg_catalog.name`,
        [qualified(written.schema, written.name), newVal],
      );
      if (row === undefined) return null;
      const { oid, name, schema } = row;
      return {
        oid: oid ?? "",
        schema: schema ?? null,
        name: `value ${literal(newVal)} of type ${ident(schema ?? "")}.${ident(name ?? "")}`,
      };
    },
    async differences({ session }, existing) {
      const laterValues = await valuesAddedLater(session, later, existing.oid);
      const labels = (await labelsOf(session, existing.oid)).filter(
        (label) => label === newVal || label === newValNeighbor || !laterValues.has(label),
      );
      const at = labels.indexOf(newVal);
      const [before, after] = [labels[at - 1], labels[at + 1]];
      const has = `it stands ${before === undefined ? "at the beginning" : `after ${literal(before)}`}${after === undefined ? ", at the end" : ` and before ${literal(after)}`}`;
      if (newValNeighbor === undefined)
        return after === undefined ? [] : [`${has}, the file says at the end`];
      const wanted = newValIsAfter === true ? before : after;
      if (wanted === newValNeighbor) return [];
      return [
        `${has}, the file says ${newValIsAfter === true ? "after" : "before"} ${literal(newValNeighbor)}`,
      ];
    },
  };
}

/** Values that later statements of the file add to the type. */
async function valuesAddedLater(
  session: Session,
  later: readonly Node[],
  type: string,
): Promise<ReadonlySet<string>> {
  const values = new Set<string>();
  for (const node of later) {
    if (!("AlterEnumStmt" in node) || node.AlterEnumStmt.newVal === undefined) continue;
    const { schema, name } = nameOfList(node.AlterEnumStmt.typeName);
    const [row] = await session.rows("SELECT pg_catalog.to_regtype($1)::pg_catalog.oid AS oid", [
      qualified(schema, name),
    ]);
    if (row?.oid === type) values.add(node.AlterEnumStmt.newVal);
  }
  return values;
}

async function labelsOf(session: Session, type: string): Promise<string[]> {
  const rows = await session.rows(
    "SELECT enumlabel AS label FROM pg_catalog.pg_enum WHERE enumtypid = $1::pg_catalog.oid ORDER BY enumsortorder",
    [type],
  );
  return rows.map((row) => row.label ?? "");
}
