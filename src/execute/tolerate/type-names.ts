import type { Session } from "../../postgres/session.ts";
import { ident } from "../../sql/quote.ts";
import type { Existing } from "./creation.ts";
import { withArticle, type WrittenName } from "./names.ts";

/** What types are called, by `pg_type.typtype` (manual 51.64). */
const TYPE_KINDS: Readonly<Record<string, string>> = {
  b: "base type",
  c: "composite type",
  d: "domain",
  e: "enum",
  m: "multirange type",
  r: "range type",
};

/** Finds the type that has the name which a statement wants to give; one that belongs to a table counts as well. */
export async function typeInTheWay(session: Session, written: WrittenName): Promise<Existing | null> {
  const [row] = await session.rows(
    `SELECT t.oid, t.typname AS name, n.nspname AS schema, CASE WHEN c.relkind <> 'c' THEN 'x' ELSE t.typtype END AS kind
     FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
     WHERE n.nspname = coalesce($1::pg_catalog.name, pg_catalog.current_schema()) AND t.typname = $2::pg_catalog.name
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)`,
    [written.schema, written.name],
  );
  if (row === undefined) return null;
  const { oid, schema, name, kind } = row;
  return {
    oid: oid ?? "",
    schema: schema ?? null,
    kind: kind ?? "",
    name: `${kind === "x" ? "row type" : kind === "d" ? "domain" : "type"} ${ident(schema ?? "")}.${ident(name ?? "")}`,
  };
}

/** The line for a type of another kind; none where it fits. */
export function otherType(existing: Existing, kind: string): string[] {
  if (existing.kind === kind) return [];
  const has = TYPE_KINDS[existing.kind ?? ""] ?? "table or view";
  return [
    `there is ${withArticle(has)} of this name, the file makes ${withArticle(TYPE_KINDS[kind] ?? "type")}`,
  ];
}

/** The oid of a type in the scratch. */
export async function typeOid(session: Session, schema: string, name: string): Promise<string> {
  const [row] = await session.rows(
    `SELECT t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = $1 AND t.typname = $2::pg_catalog.name`,
    [schema, name],
  );
  return row?.oid ?? "0";
}
