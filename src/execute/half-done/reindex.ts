import type { Session } from "../../postgres/session.ts";
import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { dropInvalid, findIndexes, findRelation, type TableIndex } from "./indexes.ts";
import { notDone, type Kind } from "./kind.ts";

type Act = Extract<StandAloneAct, { kind: "reindex" }>;

/** What it calls the index that it builds, and the one that it replaced and could not drop (manual, REINDEX). */
const LEFT_OVER = "NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'";
/** The name of the index that it belongs to, which is cut off so that the whole has 63 bytes. */
const BASE = "pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '')";
/** A table, its partitions, and their TOAST tables. */
const OF_TABLE = `i.indrelid IN (SELECT t.oid FROM pg_catalog.pg_class p
  JOIN LATERAL (VALUES (p.oid), (p.reltoastrelid)) t (oid) ON true
  WHERE p.oid = $1::oid OR p.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))`;

/** REINDEX … CONCURRENTLY: what an earlier attempt left is dropped, and it is run again. */
export const reindex: Kind<Act> = {
  async settle(scene, act) {
    let dropped = 0;
    for (;;) {
      const [left] = await leftOvers(scene.context.session, act);
      if (left === undefined) break;
      if (await dropInvalid(scene, left)) dropped += 1;
    }
    return notDone(
      dropped === 0
        ? "REINDEX may be run again"
        : `${dropped === 1 ? "an INVALID index that it left has" : `${dropped} INVALID indexes that it left have`} been dropped`,
    );
  },
};

async function leftOvers(session: Session, { scope, object }: Act): Promise<TableIndex[]> {
  if (scope === "database") return findIndexes(session, `${LEFT_OVER} AND n.nspname <> 'pg_catalog'`, []);
  if (scope === "schema") {
    // Of its tables; their TOAST tables are elsewhere.
    const tables =
      "SELECT p.oid FROM pg_catalog.pg_class p JOIN pg_catalog.pg_namespace s ON s.oid = p.relnamespace WHERE s.nspname = $1";
    const toasts = tables.replace("p.oid", "p.reltoastrelid");
    return findIndexes(session, `${LEFT_OVER} AND i.indrelid IN (${tables} UNION ALL ${toasts})`, [
      object?.name ?? "",
    ]);
  }
  const relation = object === null ? null : await findRelation(session, object);
  if (relation === null) return [];
  if (scope === "table") return findIndexes(session, `${LEFT_OVER} AND ${OF_TABLE}`, [relation.oid]);
  const owner =
    "EXISTS (SELECT FROM pg_catalog.pg_index o JOIN pg_catalog.pg_class oc ON oc.oid = o.indexrelid " +
    "WHERE o.indrelid = i.indrelid AND (o.indexrelid = $1::oid OR o.indexrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass))) " +
    `AND (oc.relname = ${BASE} OR pg_catalog.starts_with(oc.relname, ${BASE}) AND pg_catalog.octet_length(c.relname::text) > 59))`;
  return findIndexes(session, `${LEFT_OVER} AND ${owner}`, [relation.oid]);
}
