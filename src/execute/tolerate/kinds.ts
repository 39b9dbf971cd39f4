import type { Node } from "libpg-query";
import { parseSql } from "../../sql/parser.ts";
import type { Statement } from "../../sql/types.ts";
import { additionCreation } from "./alter-table.ts";
import { collationCreation } from "./collation.ts";
import type { Creation } from "./creation.ts";
import { enumValueCreation } from "./enum-value.ts";
import { indexCreation } from "./index-kind.ts";
import { aggregateCreation, functionCreation } from "./routine.ts";
import { extensionCreation, schemaCreation } from "./schema-kind.ts";
import { sequenceCreation } from "./sequence.ts";
import { tableCreation } from "./table.ts";
import { policyCreation, triggerCreation } from "./trigger.ts";
import { compositeCreation, domainCreation, enumCreation, rangeCreation } from "./type.ts";
import { tableAsCreation, viewCreation } from "./view.ts";

/** By the grammar's node: what a statement makes. null: nothing that could be in its way, or it is not known how to compare it. */
function creationOfNode(sql: string, node: Node, later: readonly Node[]): Creation | null {
  if ("CreateStmt" in node) return tableCreation(sql, node.CreateStmt, later);
  if ("IndexStmt" in node) return indexCreation(sql, node.IndexStmt, later);
  if ("AlterTableStmt" in node) return additionCreation(sql, node.AlterTableStmt, later);
  if ("ViewStmt" in node) return viewCreation(sql, node.ViewStmt);
  if ("CreateTableAsStmt" in node) return tableAsCreation(sql, node.CreateTableAsStmt);
  if ("CreateSeqStmt" in node) return sequenceCreation(sql, node.CreateSeqStmt, later);
  if ("CreateEnumStmt" in node) return enumCreation(sql, node.CreateEnumStmt);
  if ("AlterEnumStmt" in node) return enumValueCreation(sql, node.AlterEnumStmt, later);
  if ("CompositeTypeStmt" in node) return compositeCreation(sql, node.CompositeTypeStmt);
  if ("CreateRangeStmt" in node) return rangeCreation(sql, node.CreateRangeStmt);
  if ("CreateDomainStmt" in node) return domainCreation(sql, node.CreateDomainStmt);
  if ("CreateFunctionStmt" in node) return functionCreation(sql, node.CreateFunctionStmt);
  if ("CreateSchemaStmt" in node) return schemaCreation(sql, node.CreateSchemaStmt);
  if ("CreateExtensionStmt" in node) return extensionCreation(sql, node.CreateExtensionStmt);
  if ("CreateTrigStmt" in node) return triggerCreation(sql, node.CreateTrigStmt);
  if ("CreatePolicyStmt" in node) return policyCreation(sql, node.CreatePolicyStmt);
  if ("DefineStmt" in node) {
    if (node.DefineStmt.kind === "OBJECT_AGGREGATE") return aggregateCreation(sql, node.DefineStmt);
    if (node.DefineStmt.kind === "OBJECT_COLLATION") return collationCreation(sql, node.DefineStmt);
  }
  return null;
}

/** By ordinal of the statement: what it makes; left out where that cannot be compared, or nothing can be in its way. */
export type Creations = ReadonlyMap<number, Creation>;

/** What the statements of a section make. */
export async function creationsOf(statements: readonly Statement[]): Promise<Creations> {
  const nodes: (Node | null)[] = [];
  for (const { sql } of statements) {
    const parsed = await parseSql(sql);
    nodes.push(parsed.ok ? (parsed.statements[0]?.node ?? null) : null);
  }
  const creations = new Map<number, Creation>();
  for (const [index, { ordinal, sql }] of statements.entries()) {
    const node = nodes[index] ?? null;
    const later = nodes.slice(index + 1).filter((one) => one !== null);
    const creation = node === null ? null : creationOfNode(sql, node, later);
    if (creation !== null) creations.set(ordinal, creation);
  }
  return creations;
}
