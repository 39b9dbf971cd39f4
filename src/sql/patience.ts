import type { Node } from "libpg-query";
import { optionIsOn } from "./options.ts";

/**
 * Whether a statement waits for others without making anybody wait who reads or writes rows: its locks conflict with neither, in
 * the queue either. Measured on PostgreSQL 14 to 18: SHARE UPDATE EXCLUSIVE for CONCURRENTLY and VALIDATE CONSTRAINT; EXCLUSIVE
 * for REFRESH MATERIALIZED VIEW CONCURRENTLY, on what nobody can write. DETACH PARTITION CONCURRENTLY takes ACCESS EXCLUSIVE on
 * the partition once nobody uses its table any more: whether others wait for that is to be watched.
 */
export function isPatient(node: Node): boolean {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent === true;
  if ("DropStmt" in node) return node.DropStmt.concurrent === true;
  if ("ReindexStmt" in node) return optionIsOn(node.ReindexStmt.params, "concurrently", false);
  if ("RefreshMatViewStmt" in node) return node.RefreshMatViewStmt.concurrent === true;
  if (!("AlterTableStmt" in node)) return false;
  const { cmds = [], objtype } = node.AlterTableStmt;
  return (
    objtype === "OBJECT_TABLE" &&
    cmds.length > 0 &&
    cmds.every((one) => {
      if (!("AlterTableCmd" in one)) return false;
      const { subtype, def } = one.AlterTableCmd;
      if (subtype === "AT_ValidateConstraint") return true;
      const partition = def !== undefined && "PartitionCmd" in def ? def.PartitionCmd : undefined;
      return subtype === "AT_DetachPartition" && partition?.concurrent === true;
    })
  );
}
