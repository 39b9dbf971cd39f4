import type { Session } from "../../postgres/session.ts";
import type { ObjectName } from "../../sql/stand-alone-act.ts";
import { qualified } from "../../sql/quote.ts";
import { complete } from "./complete.ts";
import { waitForOthers } from "./holders.ts";
import type { Scene } from "./kind.ts";

/** A relation as the catalog has it. */
export interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
}

/** An index of a table. */
export interface TableIndex extends Relation {
  /** Oid of its table. */
  readonly table: string;
  readonly valid: boolean;
}

const INDEX_SQL = `SELECT i.indexrelid AS oid, n.nspname AS schema, c.relname AS name, i.indrelid AS table, i.indisvalid AS valid
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'i' AND `;

/** A relation by its name as written; null: there is none. */
export async function findRelation(session: Session, { schema, name }: ObjectName): Promise<Relation | null> {
  const [row] = await session.rows(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`,
    [qualified(schema, name)],
  );
  return row === undefined ? null : { oid: row.oid ?? "", schema: row.schema ?? "", name: row.name ?? "" };
}

/**
 * Indexes that a condition chooses; partitioned ones, which have no storage, are left out.
 * @param condition on i (pg_index), c (pg_class of the index) and n (its schema).
 */
export async function findIndexes(
  session: Session,
  condition: string,
  values: readonly unknown[],
): Promise<TableIndex[]> {
  const rows = await session.rows(`${INDEX_SQL}${condition} ORDER BY c.relname`, values);
  return rows.map((row) => ({
    oid: row.oid ?? "",
    schema: row.schema ?? "",
    name: row.name ?? "",
    table: row.table ?? "",
    valid: row.valid === "t",
  }));
}

/**
 * Drops an INVALID index, as the manual advises (CREATE INDEX, "Building Indexes Concurrently"), unless another session
 * turns out to be at work on its table: then that one is waited for.
 * @returns false: it was waited for, and the index may be another one or valid by now.
 * @throws as `waitForOthers` and `complete`.
 */
export async function dropInvalid(scene: Scene, index: TableIndex): Promise<boolean> {
  if (await waitForOthers(scene, index.table, `index ${index.name} is not valid`)) return false;
  const sql = `DROP INDEX CONCURRENTLY ${qualified(index.schema, index.name)}`;
  await complete(scene, sql, { why: `the INVALID index ${index.name} had to be dropped` });
  return true;
}
