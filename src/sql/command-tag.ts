import type { Node, ObjectType } from "libpg-query";

/** Nodes whose tag depends on nothing but their kind (utility.c, CreateCommandTag). */
const TAGS: Readonly<Record<string, string>> = {
  AlterCollationStmt: "ALTER COLLATION",
  AlterDatabaseRefreshCollStmt: "ALTER DATABASE",
  AlterDatabaseSetStmt: "ALTER DATABASE",
  AlterDatabaseStmt: "ALTER DATABASE",
  AlterDefaultPrivilegesStmt: "ALTER DEFAULT PRIVILEGES",
  AlterDomainStmt: "ALTER DOMAIN",
  AlterEnumStmt: "ALTER TYPE",
  AlterEventTrigStmt: "ALTER EVENT TRIGGER",
  AlterExtensionContentsStmt: "ALTER EXTENSION",
  AlterExtensionStmt: "ALTER EXTENSION",
  AlterFdwStmt: "ALTER FOREIGN DATA WRAPPER",
  AlterForeignServerStmt: "ALTER SERVER",
  AlterOperatorStmt: "ALTER OPERATOR",
  AlterOpFamilyStmt: "ALTER OPERATOR FAMILY",
  AlterPolicyStmt: "ALTER POLICY",
  AlterPublicationStmt: "ALTER PUBLICATION",
  AlterRoleSetStmt: "ALTER ROLE",
  AlterRoleStmt: "ALTER ROLE",
  AlterSeqStmt: "ALTER SEQUENCE",
  AlterStatsStmt: "ALTER STATISTICS",
  AlterSubscriptionStmt: "ALTER SUBSCRIPTION",
  AlterSystemStmt: "ALTER SYSTEM",
  AlterTableSpaceOptionsStmt: "ALTER TABLESPACE",
  AlterTSConfigurationStmt: "ALTER TEXT SEARCH CONFIGURATION",
  AlterTSDictionaryStmt: "ALTER TEXT SEARCH DICTIONARY",
  AlterTypeStmt: "ALTER TYPE",
  AlterUserMappingStmt: "ALTER USER MAPPING",
  CallStmt: "CALL",
  CheckPointStmt: "CHECKPOINT",
  ClusterStmt: "CLUSTER",
  CommentStmt: "COMMENT",
  CompositeTypeStmt: "CREATE TYPE",
  ConstraintsSetStmt: "SET CONSTRAINTS",
  CopyStmt: "COPY",
  CreateAmStmt: "CREATE ACCESS METHOD",
  CreateCastStmt: "CREATE CAST",
  CreateConversionStmt: "CREATE CONVERSION",
  CreatedbStmt: "CREATE DATABASE",
  CreateDomainStmt: "CREATE DOMAIN",
  CreateEnumStmt: "CREATE TYPE",
  CreateEventTrigStmt: "CREATE EVENT TRIGGER",
  CreateExtensionStmt: "CREATE EXTENSION",
  CreateFdwStmt: "CREATE FOREIGN DATA WRAPPER",
  CreateForeignServerStmt: "CREATE SERVER",
  CreateForeignTableStmt: "CREATE FOREIGN TABLE",
  CreateOpClassStmt: "CREATE OPERATOR CLASS",
  CreateOpFamilyStmt: "CREATE OPERATOR FAMILY",
  CreatePLangStmt: "CREATE LANGUAGE",
  CreatePolicyStmt: "CREATE POLICY",
  CreatePublicationStmt: "CREATE PUBLICATION",
  CreateRangeStmt: "CREATE TYPE",
  CreateRoleStmt: "CREATE ROLE",
  CreateSchemaStmt: "CREATE SCHEMA",
  CreateSeqStmt: "CREATE SEQUENCE",
  CreateStatsStmt: "CREATE STATISTICS",
  CreateStmt: "CREATE TABLE",
  CreateSubscriptionStmt: "CREATE SUBSCRIPTION",
  CreateTableSpaceStmt: "CREATE TABLESPACE",
  CreateTransformStmt: "CREATE TRANSFORM",
  CreateTrigStmt: "CREATE TRIGGER",
  CreateUserMappingStmt: "CREATE USER MAPPING",
  DeclareCursorStmt: "DECLARE CURSOR",
  DeleteStmt: "DELETE",
  DoStmt: "DO",
  DropdbStmt: "DROP DATABASE",
  DropOwnedStmt: "DROP OWNED",
  DropRoleStmt: "DROP ROLE",
  DropSubscriptionStmt: "DROP SUBSCRIPTION",
  DropTableSpaceStmt: "DROP TABLESPACE",
  DropUserMappingStmt: "DROP USER MAPPING",
  ExecuteStmt: "EXECUTE",
  ExplainStmt: "EXPLAIN",
  ImportForeignSchemaStmt: "IMPORT FOREIGN SCHEMA",
  IndexStmt: "CREATE INDEX",
  InsertStmt: "INSERT",
  ListenStmt: "LISTEN",
  LoadStmt: "LOAD",
  LockStmt: "LOCK TABLE",
  MergeStmt: "MERGE",
  NotifyStmt: "NOTIFY",
  PrepareStmt: "PREPARE",
  ReassignOwnedStmt: "REASSIGN OWNED",
  RefreshMatViewStmt: "REFRESH MATERIALIZED VIEW",
  ReindexStmt: "REINDEX",
  RuleStmt: "CREATE RULE",
  SecLabelStmt: "SECURITY LABEL",
  TruncateStmt: "TRUNCATE TABLE",
  UnlistenStmt: "UNLISTEN",
  UpdateStmt: "UPDATE",
  VariableShowStmt: "SHOW",
  ViewStmt: "CREATE VIEW",
};

/** Object types whose words are not simply those of their constant. */
const OBJECTS: Readonly<Partial<Record<ObjectType, string>>> = {
  OBJECT_ATTRIBUTE: "TYPE",
  OBJECT_COLUMN: "TABLE",
  OBJECT_DOMCONSTRAINT: "DOMAIN",
  OBJECT_FDW: "FOREIGN DATA WRAPPER",
  OBJECT_FOREIGN_SERVER: "SERVER",
  OBJECT_LARGEOBJECT: "LARGE OBJECT",
  OBJECT_MATVIEW: "MATERIALIZED VIEW",
  OBJECT_OPCLASS: "OPERATOR CLASS",
  OBJECT_OPFAMILY: "OPERATOR FAMILY",
  OBJECT_STATISTIC_EXT: "STATISTICS",
  OBJECT_TABCONSTRAINT: "TABLE",
  OBJECT_TSCONFIGURATION: "TEXT SEARCH CONFIGURATION",
  OBJECT_TSDICTIONARY: "TEXT SEARCH DICTIONARY",
  OBJECT_TSPARSER: "TEXT SEARCH PARSER",
  OBJECT_TSTEMPLATE: "TEXT SEARCH TEMPLATE",
};

/** The command of a statement in the words of PostgreSQL's command tags: `CREATE TABLE`, `ALTER TYPE`, `DO`. */
export function commandTag(node: Node): string {
  const kind = Object.keys(node)[0] ?? "";
  return TAGS[kind] ?? variantTag(node) ?? wordsOf(kind);
}

function variantTag(node: Node): string | null {
  if ("SelectStmt" in node) return node.SelectStmt.intoClause === undefined ? "SELECT" : "SELECT INTO";
  if ("AlterTableStmt" in node) return `ALTER ${objectWords(node.AlterTableStmt.objtype)}`;
  if ("DropStmt" in node) return `DROP ${objectWords(node.DropStmt.removeType)}`;
  if ("RenameStmt" in node) {
    const { renameType, relationType } = node.RenameStmt;
    return `ALTER ${objectWords(renameType === "OBJECT_COLUMN" ? relationType : renameType)}`;
  }
  if ("AlterOwnerStmt" in node) return `ALTER ${objectWords(node.AlterOwnerStmt.objectType)}`;
  if ("AlterObjectSchemaStmt" in node) return `ALTER ${objectWords(node.AlterObjectSchemaStmt.objectType)}`;
  if ("AlterObjectDependsStmt" in node) return `ALTER ${objectWords(node.AlterObjectDependsStmt.objectType)}`;
  if ("AlterTableMoveAllStmt" in node) return `ALTER ${objectWords(node.AlterTableMoveAllStmt.objtype)}`;
  if ("AlterFunctionStmt" in node) return `ALTER ${objectWords(node.AlterFunctionStmt.objtype)}`;
  if ("DefineStmt" in node) return `CREATE ${objectWords(node.DefineStmt.kind)}`;
  if ("CreateFunctionStmt" in node) {
    return node.CreateFunctionStmt.is_procedure === true ? "CREATE PROCEDURE" : "CREATE FUNCTION";
  }
  if ("CreateTableAsStmt" in node) {
    const { objtype, is_select_into: isSelectInto } = node.CreateTableAsStmt;
    if (objtype === "OBJECT_MATVIEW") return "CREATE MATERIALIZED VIEW";
    return isSelectInto === true ? "SELECT INTO" : "CREATE TABLE AS";
  }
  if ("GrantStmt" in node) return node.GrantStmt.is_grant === true ? "GRANT" : "REVOKE";
  if ("GrantRoleStmt" in node) return node.GrantRoleStmt.is_grant === true ? "GRANT ROLE" : "REVOKE ROLE";
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd === true ? "VACUUM" : "ANALYZE";
  if ("VariableSetStmt" in node) {
    const { kind } = node.VariableSetStmt;
    return kind === "VAR_RESET" || kind === "VAR_RESET_ALL" ? "RESET" : "SET";
  }
  if ("DiscardStmt" in node) return (node.DiscardStmt.target ?? "DISCARD").replace("_", " ");
  if ("FetchStmt" in node) return node.FetchStmt.ismove === true ? "MOVE" : "FETCH";
  if ("ClosePortalStmt" in node)
    return node.ClosePortalStmt.portalname === undefined ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
  if ("DeallocateStmt" in node) return node.DeallocateStmt.isall === true ? "DEALLOCATE ALL" : "DEALLOCATE";
  if ("TransactionStmt" in node) return transactionWords(node.TransactionStmt.kind ?? "");
  return null;
}

function objectWords(type: ObjectType | undefined): string {
  if (type === undefined) return "OBJECT";
  return OBJECTS[type] ?? type.replace("OBJECT_", "").replaceAll("_", " ");
}

function transactionWords(kind: string): string {
  if (kind === "TRANS_STMT_START") return "START TRANSACTION";
  if (kind === "TRANS_STMT_PREPARE") return "PREPARE TRANSACTION";
  if (kind === "TRANS_STMT_ROLLBACK_TO") return "ROLLBACK";
  return kind.replace("TRANS_STMT_", "").replaceAll("_", " ");
}

/** For a command that this table does not know: `CreateFooStmt` is `CREATE FOO`. */
function wordsOf(kind: string): string {
  return kind
    .replace(/Stmt$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
}
