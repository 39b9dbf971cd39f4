import type { IndexStmt } from "libpg-query";
import { keywordsOf, StatementRewrite } from "../../sql/rewrite.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts } from "./facts.ts";
import { INDEX_SQL } from "./index-facts.ts";
import { nameOfRange, oidOf, otherKind, relationInTheWay, relationNamed, renamedRange } from "./names.ts";
import { makeShell } from "./shell.ts";

/**
 * CREATE INDEX, CONCURRENTLY or not: made on an empty copy of its table. An INVALID one is not equal. Without a name the server chooses
 * one that is free, so that nothing is ever in the way.
 */
export function indexCreation(sql: string, statement: IndexStmt): Creation | null {
  const { idxname, relation } = statement;
  if (idxname === undefined || relation === undefined) return null;
  return {
    async lookup(session) {
      // An index lies in the schema of its table.
      const table = await relationNamed(session, nameOfRange(relation));
      return table === null ? null : relationInTheWay(session, { schema: table.schema, name: idxname });
    },
    async differences(scratch, existing) {
      const other = otherKind(existing, "iI", "index");
      if (other.length > 0) return other;
      const table = await relationNamed(scratch.session, nameOfRange(relation));
      const [live] = await scratch.session.rows(
        "SELECT indrelid AS oid FROM pg_catalog.pg_index WHERE indexrelid = $1::pg_catalog.oid",
        [existing.oid],
      );
      if (table === null || live?.oid !== table.oid) {
        return [
          `there is an index of this name on another table, the file makes it on ${table?.name ?? "this"}`,
        ];
      }
      const shell = await makeShell(scratch, table.oid, { name: relation.relname ?? "" });
      const rewrite = new StatementRewrite(sql, { IndexStmt: statement });
      const made = rewrite.node.IndexStmt;
      rewrite.replaceNameAt(relation.location, scratch.named(shell.name));
      made.relation = renamedRange(relation, scratch.schema, shell.name);
      if (statement.concurrent === true) {
        rewrite.replace(keywordsOf(sql, ["concurrently"]), "");
        delete made.concurrent;
      }
      await scratch.make(rewrite);
      const oid = await oidOf(scratch.session, scratch.schema, idxname);
      await scratch.readQualified();
      return differencesOf(
        await readFacts(scratch, INDEX_SQL, [existing.oid, shell.oid], null),
        await readFacts(scratch, INDEX_SQL, [oid, shell.oid], existing.schema),
      );
    },
  };
}
