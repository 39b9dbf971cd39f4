import { randomBytes } from "node:crypto";
import { isDatabaseError } from "../../postgres/database-error.ts";
import { BEGIN } from "../../postgres/work-session.ts";
import { SQLSTATE } from "../../postgres/sqlstate.ts";
import type { Session } from "../../postgres/session.ts";
import { indexProbe } from "../../sql/index-probe.ts";
import { qualified } from "../../sql/quote.ts";
import type { Relation, TableIndex } from "./indexes.ts";

/**
 * All that makes an index what it is, but for its names, its tablespace and the numbers of its columns. Both are read with one
 * search_path, so that names in expressions are written alike.
 */
const DEFINITION_SQL = `SELECT i.indexrelid AS oid, pg_catalog.jsonb_build_array(
    c.relam, c.reloptions, i.indisunique, pg_catalog.to_jsonb(i) -> 'indnullsnotdistinct', i.indnkeyatts,
    i.indclass::text, i.indcollation::text, i.indoption::text, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
    (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(pg_catalog.pg_get_indexdef(i.indexrelid, a.attnum, false), a.attoptions)
       ORDER BY a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid))::text AS definition
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  WHERE i.indexrelid = ANY ($1::oid[]) OR i.indrelid = pg_catalog.to_regclass($2)`;

/**
 * Which of some indexes of a table are what a statement makes. The server tells: it makes the index on an empty copy of the table, in a
 * transaction that is rolled back, and both definitions are compared as it writes them. The table itself is only read.
 * @param sql CREATE INDEX.
 * @returns null where the server does not make the index on a copy: nothing can be told then.
 * @throws the server's error where the table is locked for longer than lock_timeout.
 */
export async function sameIndexes(
  session: Session,
  sql: string,
  table: Relation,
  candidates: readonly TableIndex[],
): Promise<TableIndex[] | null> {
  if (candidates.length === 0) return [];
  for (const copy of placesOfCopy(table)) {
    const found = await sameOn(copy, session, sql, table, candidates);
    if (found !== "refused") return found;
  }
  return null;
}

/**
 * Where the copy is made: as a temporary table, whose name may stand in the index's expressions; and where the role may make none, beside
 * the table, in whose schema it may make the index (manual, CREATE INDEX).
 */
function placesOfCopy({ schema, name }: Relation): string[] {
  return [qualified("pg_temp", name), qualified(schema, `godwit_copy_${randomBytes(8).toString("hex")}`)];
}

async function sameOn(
  copy: string,
  session: Session,
  sql: string,
  table: Relation,
  candidates: readonly TableIndex[],
): Promise<TableIndex[] | null | "refused"> {
  const probe = indexProbe(sql, copy);
  if (probe === null) return null;
  try {
    await session.query(`${BEGIN}; CREATE TABLE ${copy} (LIKE ${qualified(table.schema, table.name)})`);
    await session.query(probe);
    const oids = candidates.map(({ oid }) => oid);
    const rows = await session.rows(DEFINITION_SQL, [oids, copy]);
    const wanted = rows.find(({ oid }) => !oids.includes(oid ?? ""))?.definition;
    if (wanted === undefined) return null;
    return candidates.filter((one) => rows.find(({ oid }) => oid === one.oid)?.definition === wanted);
  } catch (error) {
    const isTelling = isDatabaseError(error) && error.code !== SQLSTATE.lockNotAvailable;
    if (!isTelling || error.code === SQLSTATE.queryCanceled) throw error;
    return error.code === SQLSTATE.insufficientPrivilege ? "refused" : null;
  } finally {
    await session.cleanup(() => session.query("ROLLBACK"));
  }
}
