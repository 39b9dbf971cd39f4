import type { IndexStmt, Node } from "libpg-query";
import { keywordsOf, StatementRewrite } from "../../sql/rewrite.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts, type Facts } from "./facts.ts";
import { INDEX_SQL } from "./index-facts.ts";
import { nameOfRange, oidOf, otherKind, relationInTheWay, relationNamed, renamedRange } from "./names.ts";
import { makeShell } from "./shell.ts";

/**
 * CREATE INDEX, CONCURRENTLY or not: made on an empty copy of its table. An INVALID one is not equal. Without a name the server chooses
 * one that is free, so that nothing is ever in the way.
 */
export function indexCreation(sql: string, statement: IndexStmt, later: readonly Node[]): Creation | null {
  const { idxname, relation } = statement;
  if (idxname === undefined || relation === undefined) return null;
  const constraint = constraintOf(later, idxname);
  return {
    async lookup(session) {
      // An index lies in the schema of its table.
      const table = await relationNamed(session, nameOfRange(relation));
      if (table === null) return null;
      const found = await relationInTheWay(session, { schema: table.schema, name: idxname });
      if (found !== null || constraint === null) return found;
      return relationInTheWay(session, { schema: table.schema, name: constraint });
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
      const left = [
        ...(constraint === null ? [] : ["constraint"]),
        // On a partitioned table ONLY it is valid once each partition has one that is attached to it.
        ...(existing.kind === "I" && relation.inh !== true ? ["valid"] : []),
      ];
      const own = (facts: Facts): Facts => without(facts, left);
      return differencesOf(
        own(await readFacts(scratch, INDEX_SQL, [existing.oid, shell.oid], null)),
        own(await readFacts(scratch, INDEX_SQL, [oid, shell.oid], existing.schema)),
      );
    },
  };
}

/** The constraint that a later statement of the file makes of the index, which then has the name of the constraint. */
function constraintOf(later: readonly Node[], index: string): string | null {
  for (const node of later) {
    for (const cmd of "AlterTableStmt" in node ? (node.AlterTableStmt.cmds ?? []) : []) {
      const def = "AlterTableCmd" in cmd ? cmd.AlterTableCmd.def : undefined;
      if (def === undefined || !("Constraint" in def) || def.Constraint.indexname !== index) continue;
      return def.Constraint.conname ?? index;
    }
  }
  return null;
}

function without(facts: Facts, left: readonly string[]): Facts {
  return new Map(
    [...facts].map(([subject, properties]) => [
      subject,
      new Map([...properties].filter(([property]) => !left.includes(property))),
    ]),
  );
}
