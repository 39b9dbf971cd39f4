import type { DefineStmt } from "libpg-query";
import { ident } from "../../sql/quote.ts";
import { StatementRewrite } from "../../sql/rewrite.ts";
import type { Session } from "../../postgres/session.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts } from "./facts.ts";
import { listOf, nameOfList } from "./names.ts";

/** The version is that of the operating system's library on the day it was made. */
const COLLATION_SQL = `SELECT 'collation' AS subject, e.key AS property, e.key || ' ' || e.value AS value
FROM pg_catalog.pg_collation c, LATERAL pg_catalog.jsonb_each_text(
  pg_catalog.to_jsonb(c) - '{oid,collname,collnamespace,collowner,collversion}'::pg_catalog.text[]) e
WHERE c.oid = $1::pg_catalog.oid ORDER BY e.key`;

export function collationCreation(sql: string, statement: DefineStmt): Creation {
  const written = nameOfList(statement.defnames);
  const keywords = ["collation", ...(statement.if_not_exists === true ? ["if", "not", "exists"] : [])];
  return {
    lookup: (session) => find(session, written.schema, written.name),
    async differences(scratch, existing) {
      const rewrite = new StatementRewrite(sql, { DefineStmt: statement });
      rewrite.replaceNameBehind(keywords, scratch.named(written.name));
      rewrite.node.DefineStmt.defnames = listOf(scratch.schema, written.name);
      await scratch.make(rewrite);
      const made = await find(scratch.session, scratch.schema, written.name);
      return differencesOf(
        await readFacts(scratch, COLLATION_SQL, [existing.oid], null),
        await readFacts(scratch, COLLATION_SQL, [made?.oid ?? "0"], existing.schema),
      );
    },
  };
}

async function find(
  session: Session,
  schema: string | null,
  name: string,
): Promise<{ oid: string; schema: string; name: string } | null> {
  const [row] = await session.rows(
    `SELECT c.oid, n.nspname AS schema FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
     WHERE n.nspname = coalesce($1::pg_catalog.name, pg_catalog.current_schema()) AND c.collname = $2::pg_catalog.name
       AND c.collencoding IN (-1, (SELECT encoding FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))`,
    [schema, name],
  );
  if (row === undefined) return null;
  const found = row.schema ?? "";
  return { oid: row.oid ?? "", schema: found, name: `collation ${ident(found)}.${ident(name)}` };
}
