import type { CreateTableAsStmt, ViewStmt } from "libpg-query";
import { keywordsOf, StatementRewrite } from "../../sql/rewrite.ts";
import { NotComparable, type Creation, type Existing } from "./creation.ts";
import { differencesOf, readFacts, type Facts } from "./facts.ts";
import { nameOfRange, oidOf, otherKind, relationInTheWay, renamedRange } from "./names.ts";
import { RELATION_SQL } from "./relation-facts.ts";
import type { Scratch } from "./scratch.ts";

/** The query as the server writes it, and the columns' names and types. Reading a query locks its tables with ACCESS SHARE. */
const VIEW_SQL = `SELECT 'query' AS subject, 'query' AS property, pg_catalog.btrim(pg_catalog.pg_get_viewdef($1::pg_catalog.oid)) AS value
UNION ALL (SELECT 'column ' || pg_catalog.quote_ident(a.attname), 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 ORDER BY a.attnum)`;

/** CREATE VIEW; with OR REPLACE nothing is in its way. */
export function viewCreation(sql: string, statement: ViewStmt): Creation | null {
  const { view, replace } = statement;
  if (view === undefined || replace === true || view.relpersistence === "t") return null;
  const written = nameOfRange(view);
  return {
    lookup: (session) => relationInTheWay(session, written),
    async differences(scratch, existing) {
      const other = otherKind(existing, "v", "view");
      if (other.length > 0) return other;
      const rewrite = new StatementRewrite(sql, { ViewStmt: statement });
      rewrite.replaceNameAt(view.location, scratch.named(written.name));
      rewrite.node.ViewStmt.view = renamedRange(view, scratch.schema, written.name);
      await scratch.make(rewrite);
      return compared(scratch, existing, written.name);
    },
  };
}

/** CREATE MATERIALIZED VIEW, made WITH NO DATA; which rows the live one has is not compared. CREATE TABLE AS makes rows. */
export function tableAsCreation(sql: string, statement: CreateTableAsStmt): Creation | null {
  const { into, objtype } = statement;
  const rel = into?.rel;
  if (into === undefined || rel === undefined || rel.relpersistence === "t") return null;
  const written = nameOfRange(rel);
  return {
    lookup: (session) => relationInTheWay(session, written),
    async differences(scratch, existing) {
      if (objtype !== "OBJECT_MATVIEW") throw new NotComparable("the rows of CREATE TABLE AS are not known");
      const other = otherKind(existing, "m", "materialized view");
      if (other.length > 0) return other;
      const rewrite = new StatementRewrite(sql, { CreateTableAsStmt: statement });
      const made = rewrite.node.CreateTableAsStmt.into!;
      rewrite.replaceNameAt(rel.location, scratch.named(written.name));
      made.rel = renamedRange(rel, scratch.schema, written.name);
      if (into.skipData !== true) {
        const end = { start: sql.length, end: sql.length };
        const said = /\bwith\s+data\s*$/i.exec(sql);
        rewrite.replace(
          said === null ? end : keywordsOf(sql, ["with", "data"], said.index),
          "\nWITH NO DATA",
        );
        made.skipData = true;
      }
      await scratch.make(rewrite);
      const lines = await compared(scratch, existing, written.name);
      const isEmpty = into.skipData !== true && !(await isPopulated(scratch, existing));
      return isEmpty
        ? [...lines, "it was never filled, the file fills it: REFRESH MATERIALIZED VIEW"]
        : lines;
    },
  };
}

/** One that was made WITH NO DATA, or emptied like that, cannot be read. */
async function isPopulated({ session }: Scratch, { oid }: Existing): Promise<boolean> {
  const [row] = await session.rows(
    "SELECT relispopulated AS populated FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.oid",
    [oid],
  );
  return row?.populated === "t";
}

async function compared(scratch: Scratch, existing: Existing, name: string): Promise<string[]> {
  const oid = await oidOf(scratch.session, scratch.schema, name);
  await scratch.readQualified();
  return differencesOf(
    await viewFacts(scratch, existing.oid, null),
    await viewFacts(scratch, oid, existing.schema),
  );
}

async function viewFacts(scratch: Scratch, oid: string, liveSchema: string | null): Promise<Facts> {
  return new Map([
    ...(await readFacts(scratch, RELATION_SQL, [oid, oid], liveSchema)),
    ...(await readFacts(scratch, VIEW_SQL, [oid], liveSchema)),
  ]);
}
