import type { Node } from "libpg-query";
import { alterTableLocks } from "./alter-table.ts";
import { LockCollector, named } from "./collector.ts";
import {
  createFromQueryLocks,
  createIndexLocks,
  createTableLocks,
  createTriggerLocks,
  createViewLocks,
  definitionLocks,
} from "./create.ts";
import { dropLocks, truncateLocks } from "./drop.ts";
import { clusterLocks, lockTableLocks, reindexLocks, vacuumLocks } from "./maintenance.ts";
import { relationOf } from "./names.ts";
import {
  alterDomainLocks,
  commentLocks,
  grantLocks,
  ownedByLocks,
  publicationLocks,
  renameLocks,
  setSchemaLocks,
} from "./objects.ts";
import { queryLocks } from "./query.ts";
import { stringOf } from "../tree.ts";
import type { StatementLocks } from "./types.ts";

/** Statements that run code of somebody's own, of which grammar knows nothing. */
const RUNS_CODE: Readonly<Record<string, string>> = {
  DoStmt: "the code of the DO block",
  CallStmt: "the procedure that it calls",
  ExecuteStmt: "the statement that it executes",
  CreateExtensionStmt: "the script of the extension",
  AlterExtensionStmt: "the script of the extension",
  AlterExtensionContentsStmt: "the object that it takes in or lets go",
  ImportForeignSchemaStmt: "what it imports",
  DropOwnedStmt: "all that the role owns",
  ReassignOwnedStmt: "all that the role owns",
  AlterTableMoveAllStmt: "all that is in the tablespace",
  CreateSubscriptionStmt: "the tables that the publication names",
  AlterSubscriptionStmt: "the tables that the publication names",
};

/**
 * The locks on relations that a statement takes, as far as its grammar tells; their modes are those of `modeOf`. Left out are
 * locks on the catalog's own tables and on TOAST tables, on an index whose table is locked as strongly, on what the statement
 * itself makes, and those that checks of foreign keys and triggers take when rows change.
 * @param options.everything as `LockCollector`.
 */
export function statementLocks(node: Node, options: { readonly everything?: boolean } = {}): StatementLocks {
  const locks = new LockCollector(options.everything ?? false);
  collect(node, locks);
  return locks.done();
}

function collect(node: Node, locks: LockCollector): void {
  const why = RUNS_CODE[Object.keys(node)[0] ?? ""];
  if (why !== undefined) {
    locks.mayLockMore(why);
    locks.touchesRows();
  } else if (
    "SelectStmt" in node ||
    "InsertStmt" in node ||
    "UpdateStmt" in node ||
    "DeleteStmt" in node ||
    "MergeStmt" in node
  ) {
    if ("SelectStmt" in node) locks.creates(named(node.SelectStmt.intoClause?.rel));
    queryLocks(withoutTarget(node), locks, { form: "SELECT" });
  } else if ("AlterTableStmt" in node) alterTableLocks(node.AlterTableStmt, locks);
  else if ("DropStmt" in node) dropLocks(node.DropStmt, locks);
  else if ("TruncateStmt" in node) truncateLocks(node.TruncateStmt, locks);
  else if ("CommentStmt" in node) commentLocks(node.CommentStmt, locks);
  else if ("SecLabelStmt" in node) commentLocks(node.SecLabelStmt, locks);
  else if ("RenameStmt" in node) renameLocks(node.RenameStmt, locks);
  else if ("AlterObjectSchemaStmt" in node) setSchemaLocks(node.AlterObjectSchemaStmt, locks);
  else if ("GrantStmt" in node) grantLocks(node.GrantStmt, locks);
  else if ("AlterDomainStmt" in node) alterDomainLocks(node.AlterDomainStmt, locks);
  else collectMade(node, locks);
}

/** What makes something, and what keeps tables in order. */
function collectMade(node: Node, locks: LockCollector): void {
  if ("CreateStmt" in node) createTableLocks(node.CreateStmt, locks);
  else if ("CreateForeignTableStmt" in node) createTableLocks(node.CreateForeignTableStmt.base ?? {}, locks);
  else if ("CreateTableAsStmt" in node) createFromQueryLocks(node.CreateTableAsStmt, locks);
  else if ("ViewStmt" in node) createViewLocks(node.ViewStmt, locks);
  else if ("IndexStmt" in node) createIndexLocks(node.IndexStmt, locks);
  else if ("CreateTrigStmt" in node) createTriggerLocks(node.CreateTrigStmt, locks);
  else if ("RuleStmt" in node) {
    const { actions, relation, whereClause } = node.RuleStmt;
    definitionLocks("CREATE RULE", relation, [whereClause], locks);
    if ((actions ?? []).length > 0) locks.mayLockMore("what the rule's actions name");
  } else if ("CreatePolicyStmt" in node) {
    const { qual, table, with_check: check } = node.CreatePolicyStmt;
    definitionLocks("CREATE POLICY", table, [qual, check], locks);
  } else if ("AlterPolicyStmt" in node) {
    const { qual, table, with_check: check } = node.AlterPolicyStmt;
    definitionLocks("ALTER POLICY", table, [qual, check], locks);
  } else if ("CreateSeqStmt" in node) {
    const { if_not_exists: ifNotExists, options, sequence } = node.CreateSeqStmt;
    if (ifNotExists !== true) locks.creates(named(sequence));
    ownedByLocks(options, locks);
  } else if ("AlterSeqStmt" in node) {
    locks.subject("ALTER SEQUENCE", named(node.AlterSeqStmt.sequence), ["itself"]);
    ownedByLocks(node.AlterSeqStmt.options, locks);
  } else if ("CreateStatsStmt" in node) {
    for (const one of node.CreateStatsStmt.relations ?? []) {
      if ("RangeVar" in one) locks.subject("CREATE STATISTICS", named(one.RangeVar), ["itself"]);
    }
  } else if ("AlterStatsStmt" in node) {
    const names = (node.AlterStatsStmt.defnames ?? []).flatMap((part) => stringOf(part) ?? []);
    locks.subject("ALTER STATISTICS", relationOf(names), ["of statistics"]);
  } else if ("CreatePublicationStmt" in node) {
    publicationLocks("CREATE PUBLICATION", node.CreatePublicationStmt.pubobjects, locks);
  } else if ("AlterPublicationStmt" in node) {
    const { action, pubobjects } = node.AlterPublicationStmt;
    const verb = (action ?? "").replace("AP_", "").replace("Objects", "").toUpperCase();
    publicationLocks(`ALTER PUBLICATION ${verb}`, pubobjects, locks);
    if (verb === "SET") locks.mayLockMore("the tables that it takes out");
  } else collectUsed(node, locks);
}

function collectUsed(node: Node, locks: LockCollector): void {
  if ("RefreshMatViewStmt" in node) {
    const { concurrent, relation, skipData } = node.RefreshMatViewStmt;
    const form = `REFRESH MATERIALIZED VIEW${concurrent === true ? " CONCURRENTLY" : ""}`;
    locks.subject(form, named(relation), skipData === true ? ["itself"] : ["itself", "query"]);
    locks.touchesRows();
  } else if ("ReindexStmt" in node) reindexLocks(node.ReindexStmt, locks);
  else if ("VacuumStmt" in node) vacuumLocks(node.VacuumStmt, locks);
  else if ("ClusterStmt" in node) clusterLocks(node.ClusterStmt, locks);
  else if ("LockStmt" in node) lockTableLocks(node.LockStmt, locks);
  else if ("CopyStmt" in node) {
    const { is_from: isFrom, query, relation } = node.CopyStmt;
    locks.subject(isFrom === true ? "COPY FROM" : "COPY TO", named(relation), ["itself"]);
    queryLocks(query, locks, { form: "SELECT" });
    locks.touchesRows();
  } else if ("ExplainStmt" in node) {
    if (node.ExplainStmt.query !== undefined) collect(node.ExplainStmt.query, locks);
  } else if ("DeclareCursorStmt" in node) queryLocks(node.DeclareCursorStmt.query, locks, { form: "SELECT" });
  else if ("PrepareStmt" in node) queryLocks(node.PrepareStmt.query, locks, { form: "DEFINE" });
}

/** SELECT INTO makes its table; every other part of a query is read. */
function withoutTarget(node: Node): Node {
  if (!("SelectStmt" in node) || node.SelectStmt.intoClause === undefined) return node;
  const { intoClause: _made, ...rest } = node.SelectStmt;
  return { SelectStmt: rest };
}
