import type { Node, RangeVar } from "libpg-query";
import type { Session } from "../../postgres/session.ts";
import { ident, qualified } from "../../sql/quote.ts";
import { stringOf } from "../../sql/tree.ts";
import type { Existing } from "./creation.ts";

/** A name as a statement writes it; schema null means through search_path. */
export interface WrittenName {
  readonly schema: string | null;
  readonly name: string;
}

export function nameOfRange({ schemaname, relname }: RangeVar): WrittenName {
  return { schema: schemaname ?? null, name: relname ?? "" };
}

export function nameOfList(names: readonly Node[] | undefined): WrittenName {
  const parts = (names ?? []).map((part) => stringOf(part) ?? "");
  return { schema: parts.at(-2) ?? null, name: parts.at(-1) ?? "" };
}

/** The same RangeVar with another name; fields keep the order of the grammar, which its hash rests on. */
export function renamedRange(range: RangeVar, schema: string, name: string): RangeVar {
  const { catalogname: _catalog, schemaname: _schema, relname: _name, ...rest } = range;
  return { schemaname: schema, relname: name, ...rest };
}

export function listOf(schema: string, name: string): Node[] {
  return [{ String: { sval: schema } }, { String: { sval: name } }];
}

/** What relations are called, by `pg_class.relkind` (manual 51.11). */
const RELATION_KINDS: Readonly<Record<string, string>> = {
  r: "table",
  p: "table",
  v: "view",
  m: "materialized view",
  i: "index",
  I: "index",
  S: "sequence",
  f: "foreign table",
  c: "type",
};

/** Finds the relation that has the name which a statement wants to give; without a schema, where it would be made. */
export async function relationInTheWay(session: Session, written: WrittenName): Promise<Existing | null> {
  const [row] = await session.rows(
    `SELECT c.oid, c.relname AS name, n.nspname AS schema, c.relkind AS kind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = coalesce($1::pg_catalog.name, pg_catalog.current_schema()) AND c.relname = $2::pg_catalog.name`,
    [written.schema, written.name],
  );
  return row === undefined ? null : relation(row);
}

/** Finds a relation that a statement names. It is found as the server finds it, but not locked. */
export async function relationNamed(session: Session, written: WrittenName): Promise<Existing | null> {
  const [row] = await session.rows(
    `SELECT c.oid, c.relname AS name, n.nspname AS schema, c.relkind AS kind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`,
    [qualified(written.schema, written.name)],
  );
  return row === undefined ? null : relation(row);
}

function relation(row: Readonly<Record<string, string | null>>): Existing {
  const kind = row.kind ?? "";
  const schema = row.schema ?? "";
  return {
    oid: row.oid ?? "",
    schema,
    kind,
    name: `${RELATION_KINDS[kind] ?? "relation"} ${ident(schema)}.${ident(row.name ?? "")}`,
  };
}

/** The line for a name that something of another kind has; none where the kind fits. */
export function otherKind(existing: Existing, kinds: string, wanted: string): string[] {
  if (kinds.includes(existing.kind ?? "")) return [];
  const has = RELATION_KINDS[existing.kind ?? ""] ?? "relation";
  return [`there is ${withArticle(has)} of this name, the file makes ${withArticle(wanted)}`];
}

export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** The oid of a relation in the scratch. */
export async function oidOf(session: Session, schema: string, name: string): Promise<string> {
  const [row] = await session.rows(
    `SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2::pg_catalog.name`,
    [schema, name],
  );
  return row?.oid ?? "0";
}
