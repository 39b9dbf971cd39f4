import type { AlterTableCmd, Constraint, Node, RangeVar } from "libpg-query";
import { parseSql } from "../sql/parser.ts";
import { ident, qualified } from "../sql/quote.ts";
import { stringOf } from "../sql/tree.ts";

const LONGEST = 300;

/**
 * How the same change can be made without making others wait for long, with the names that the statement has.
 * @param sql one statement.
 * @returns lines to show; null where there is none but to do less at a time.
 */
export async function safeRecipe(sql: string): Promise<string | null> {
  const outcome = await parseSql(sql);
  const node = outcome.ok ? outcome.statements[0]?.node : undefined;
  return node === undefined ? null : recipeOf(node, sql);
}

function recipeOf(node: Node, sql: string): string | null {
  if ("IndexStmt" in node && node.IndexStmt.concurrent !== true) {
    const { idxname: name, relation, unique } = node.IndexStmt;
    const made = oneLine(sql).replace(/^(create\s+(?:unique\s+)?index)\b/i, "$1 CONCURRENTLY");
    const short = `CREATE ${unique === true ? "UNIQUE " : ""}INDEX CONCURRENTLY ${name === undefined ? "" : `${ident(name)} `}ON ${nameOf(relation)} …`;
    return `build it beside the work of others: ${made.length > LONGEST ? short : made};`;
  }
  if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX") {
    return `drop it beside the work of others: ${oneLine(sql).replace(/^(drop\s+index)\b/i, "$1 CONCURRENTLY")};`;
  }
  if ("ReindexStmt" in node) {
    const { relation, kind } = node.ReindexStmt;
    if (relation === undefined) return "rebuild beside the work of others: REINDEX … CONCURRENTLY …;";
    const what = kind === "REINDEX_OBJECT_INDEX" ? "INDEX" : "TABLE";
    return `rebuild beside the work of others: REINDEX ${what} CONCURRENTLY ${nameOf(relation)};`;
  }
  if ("RefreshMatViewStmt" in node && node.RefreshMatViewStmt.concurrent !== true) {
    const name = nameOf(node.RefreshMatViewStmt.relation);
    return `let others read the old rows meanwhile, which takes a unique index on it: REFRESH MATERIALIZED VIEW CONCURRENTLY ${name};`;
  }
  if ("UpdateStmt" in node) return batches(node.UpdateStmt.relation, "change");
  if ("DeleteStmt" in node) return batches(node.DeleteStmt.relation, "delete");
  if ("MergeStmt" in node) return batches(node.MergeStmt.relation, "merge");
  if ("VacuumStmt" in node || "ClusterStmt" in node) {
    return "rewrite the table with pg_repack or pg_squeeze, which copy it beside the work of others";
  }
  if ("AlterTableStmt" in node) return alterRecipe(node.AlterTableStmt.relation, node.AlterTableStmt.cmds);
  return null;
}

function batches(relation: RangeVar | undefined, what: string): string {
  return (
    `${what} the rows of ${nameOf(relation)} in batches of some thousand, each with a commit of its own: ` +
    "a code migration with `export const transaction = false` can"
  );
}

function alterRecipe(relation: RangeVar | undefined, cmds: readonly Node[] = []): string | null {
  for (const one of cmds) {
    const found = "AlterTableCmd" in one ? ofCommand(nameOf(relation), one.AlterTableCmd) : null;
    if (found !== null) return found;
  }
  return null;
}

function ofCommand(table: string, cmd: AlterTableCmd): string | null {
  const { subtype, name, def } = cmd;
  if (subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def)
    return ofConstraint(table, def.Constraint);
  if (subtype === "AT_SetNotNull" && name !== undefined) return notNull(table, name);
  if (subtype === "AT_AlterColumnType" && name !== undefined) {
    const fresh = ident(`${name}_new`);
    return lines(
      "put a new column beside it, and move over in steps:",
      `ALTER TABLE ${table} ADD COLUMN ${fresh} …; -- with a trigger that keeps it like ${ident(name)}`,
      `UPDATE ${table} SET ${fresh} = ${ident(name)} …; -- in batches, each with a commit of its own`,
      `CREATE INDEX CONCURRENTLY … ON ${table} (${fresh}); -- all of ${ident(name)} that goes with it, on the new one first: indexes, primary key (ADD … USING INDEX), foreign keys from elsewhere, NOT NULL, default`,
      `ALTER TABLE ${table} DROP COLUMN ${ident(name)}; ALTER TABLE ${table} RENAME COLUMN ${fresh} TO ${ident(name)}; -- once nothing uses the old one`,
    );
  }
  if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def) {
    const column = ident(def.ColumnDef.colname ?? "…");
    return lines(
      "add the column with nothing to compute, and fill it afterwards:",
      `ALTER TABLE ${table} ADD COLUMN ${column} …; -- without DEFAULT and constraints`,
      `ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT …;`,
      `UPDATE ${table} SET ${column} = … WHERE ${column} IS NULL …; -- in batches, each with a commit of its own`,
    );
  }
  if (
    subtype === "AT_DetachPartition" &&
    def !== undefined &&
    "PartitionCmd" in def &&
    def.PartitionCmd.concurrent !== true
  ) {
    return `detach it beside the work of others: ALTER TABLE ${table} DETACH PARTITION ${nameOf(def.PartitionCmd.name)} CONCURRENTLY;`;
  }
  return null;
}

function ofConstraint(table: string, constraint: Constraint): string | null {
  const { contype, conname, keys } = constraint;
  const name = conname === undefined ? "…" : ident(conname);
  if (contype === "CONSTR_CHECK" || contype === "CONSTR_FOREIGN") {
    if (constraint.skip_validation === true) return null;
    const what =
      contype === "CONSTR_CHECK" ? "CHECK (…)" : `FOREIGN KEY (…) REFERENCES ${nameOf(constraint.pktable)}`;
    return lines(
      "add it unproven, and prove it in a migration of its own:",
      `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${what} NOT VALID;`,
      `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name};`,
    );
  }
  if (contype !== "CONSTR_UNIQUE" && contype !== "CONSTR_PRIMARY") return null;
  if (constraint.indexname !== undefined) return null;
  const columns = (keys ?? []).map((key) => ident(stringOf(key) ?? "…")).join(", ");
  const kind = contype === "CONSTR_UNIQUE" ? "UNIQUE" : "PRIMARY KEY";
  return lines(
    "build its index beside the work of others, then take it over:",
    `CREATE UNIQUE INDEX CONCURRENTLY ${name} ON ${table} (${columns});`,
    `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${kind} USING INDEX ${name};`,
  );
}

function notNull(table: string, name: string): string {
  const [column, proof] = [ident(name), ident(`${name}_not_null`)];
  return lines(
    "prove it first, so that no row has to be read under the lock (each line in a migration of its own):",
    `ALTER TABLE ${table} ADD CONSTRAINT ${proof} CHECK (${column} IS NOT NULL) NOT VALID;`,
    `ALTER TABLE ${table} VALIDATE CONSTRAINT ${proof};`,
    `ALTER TABLE ${table} ALTER COLUMN ${column} SET NOT NULL; ALTER TABLE ${table} DROP CONSTRAINT ${proof};`,
  );
}

function nameOf(relation: RangeVar | undefined): string {
  return relation?.relname === undefined ? "…" : qualified(relation.schemaname ?? null, relation.relname);
}

function lines(first: string, ...others: readonly string[]): string {
  return [first, ...others.map((line) => `  ${line}`)].join("\n");
}

function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, " ").trim();
}
