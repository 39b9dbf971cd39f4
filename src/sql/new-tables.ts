import type { AlterTableType, Node, RangeVar } from "libpg-query";

/** What ALTER TABLE does in no time where a table has no rows and no other table is read. */
const QUICK_ON_EMPTY: ReadonlySet<AlterTableType | undefined> = new Set([
  "AT_AddColumn",
  "AT_AddConstraint",
  "AT_ColumnDefault",
  "AT_SetNotNull",
] as const);

/**
 * Walks along the statements of a text, remembers the tables that they create and tells which statements are quick: they
 * make something new, or change what an earlier one has just made, and read the rows of nobody. How long such a
 * statement takes does not depend on the data; only a lock can hold it up.
 */
export class NewTables {
  readonly #names = new Set<string>();

  /** The statements must come in their order. */
  isQuick(node: Node): boolean {
    if ("CreateStmt" in node) {
      const { relation, partbound, if_not_exists: ifNotExists } = node.CreateStmt;
      // With IF NOT EXISTS it may be an old one, and beside a new partition the rows of the default one are read.
      if (relation !== undefined && ifNotExists !== true) this.#names.add(nameOf(relation));
      return partbound === undefined;
    }
    if ("IndexStmt" in node) {
      const { concurrent, relation } = node.IndexStmt;
      return concurrent !== true && this.#isNew(relation);
    }
    if ("AlterTableStmt" in node) {
      const { cmds = [], relation } = node.AlterTableStmt;
      return (
        this.#isNew(relation) &&
        cmds.every((one) => "AlterTableCmd" in one && QUICK_ON_EMPTY.has(one.AlterTableCmd.subtype))
      );
    }
    return (
      "CommentStmt" in node ||
      "CreateEnumStmt" in node ||
      "CompositeTypeStmt" in node ||
      "CreateSeqStmt" in node ||
      "ViewStmt" in node
    );
  }

  #isNew(relation: RangeVar | undefined): boolean {
    return relation !== undefined && this.#names.has(nameOf(relation));
  }
}

function nameOf({ schemaname, relname }: RangeVar): string {
  return JSON.stringify([schemaname ?? null, relname ?? null]);
}
