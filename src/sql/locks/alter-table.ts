import type { AlterTableCmd, AlterTableStmt, Constraint, Node, PartitionCmd } from "libpg-query";
import { type LockCollector, named } from "./collector.ts";
import { columnConstraints, foreignKeys } from "./constraints.ts";
import { partsOf, relationOf } from "./names.ts";
import type { NamedRelation, Reach } from "./types.ts";

/** Storage parameters whose change is to be seen by nobody at once (reloptions.c of every version). */
const MILD_OPTION =
  /^(?:autovacuum_\w+|vacuum_\w+|log_autovacuum_\w+|fillfactor|parallel_workers|toast_tuple_target|deduplicate_items)$/;
/** What reads or rewrites the table (lock-matrix measurements on 11 to 18), beside what `constraintTouchesRows` says. */
const TOUCHES_ROWS = new Set<AlterTableCmd["subtype"]>([
  "AT_AlterColumnType",
  "AT_SetNotNull",
  "AT_SetExpression",
  "AT_SetLogged",
  "AT_SetUnLogged",
  "AT_SetTableSpace",
  "AT_SetAccessMethod",
  "AT_ValidateConstraint",
  "AT_AttachPartition",
]);

/** `ALTER TABLE` and its like for indexes, views, sequences and composite types: each subcommand asks for itself. */
export function alterTableLocks({ relation, cmds = [] }: AlterTableStmt, locks: LockCollector): void {
  const table = named(relation);
  const recurses = relation?.inh === true;
  for (const one of cmds) {
    if ("AlterTableCmd" in one) subcommand(one.AlterTableCmd, table, recurses, locks);
  }
}

function subcommand(
  cmd: AlterTableCmd,
  table: NamedRelation | null,
  recurses: boolean,
  locks: LockCollector,
): void {
  const form = `ALTER TABLE ${wordsOf(cmd)}`;
  const { def, name = null, subtype } = cmd;
  const isOfPartition = def !== undefined && "PartitionCmd" in def;
  const down: readonly Reach[] =
    recurses && !isOfPartition ? ["itself", "children", "partitions"] : ["itself"];
  if (TOUCHES_ROWS.has(subtype)) locks.touchesRows();
  locks.subject(form, table, down, constraintOf(cmd));
  if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def) {
    if (addedColumnTouchesRows(def)) locks.touchesRows();
    for (const key of foreignKeys(columnConstraints(def))) referenceTo(key, `${form} REFERENCES`, locks);
  } else if (subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def) {
    if (constraintTouchesRows(def.Constraint)) locks.touchesRows();
    for (const key of foreignKeys([def])) referenceTo(key, form, locks);
  } else if (def !== undefined && "PartitionCmd" in def) {
    partition(form, def.PartitionCmd, table, locks);
  } else if (subtype === "AT_AddInherit" || subtype === "AT_DropInherit") {
    locks.other(form, def !== undefined && "RangeVar" in def ? named(def.RangeVar) : null, ["itself"]);
  } else if (subtype === "AT_DropConstraint") {
    locks.subject(form, table, ["referenced"], name);
    if (cmd.behavior === "DROP_CASCADE") locks.subject(`${form} CASCADE`, table, ["referencing"], name);
  } else if (subtype === "AT_ValidateConstraint" || subtype === "AT_AlterConstraint") {
    locks.subject(form, table, ["referenced"], constraintOf(cmd));
  } else if (subtype === "AT_AlterColumnType" || subtype === "AT_DropColumn") {
    locks.subject(form, table, ["column keys"], name);
    if (cmd.behavior === "DROP_CASCADE") locks.subject(`${form} CASCADE`, table, ["views"]);
  } else if (subtype === "AT_ChangeOwner" || subtype === "AT_SetLogged" || subtype === "AT_SetUnLogged") {
    locks.subject(form, table, ["indexes", "sequences"]);
  } else if (subtype === "AT_SetIdentity" || subtype === "AT_DropIdentity") {
    locks.subject(form, table, ["sequences"], name);
  } else if (subtype === "AT_AddOf" && def !== undefined && "TypeName" in def) {
    locks.other(form, relationOf(partsOf(def)), ["itself"]);
  }
}

/** The constraint that a subcommand names, whose kind decides how far it goes. */
function constraintOf({ def, name, subtype }: AlterTableCmd): string | null {
  if (def !== undefined && "ATAlterConstraint" in def) return def.ATAlterConstraint.conname ?? null;
  const names = subtype === "AT_DropConstraint" || subtype === "AT_ValidateConstraint";
  return names ? (name ?? null) : null;
}

function partition(
  form: string,
  { name }: PartitionCmd,
  table: NamedRelation | null,
  locks: LockCollector,
): void {
  locks.subject(form, table, ["default partition", "table", "referenced"]);
  locks.other(form, named(name), ["itself", "partitions", "table"]);
}

/** A foreign key's other end. */
export function referenceTo(key: Constraint, form: string, locks: LockCollector): void {
  locks.other(form, named(key.pktable), ["itself", "partitions"]);
}

/** The subcommand in words, told apart where the server takes another lock for it. */
function wordsOf({ subtype = "AT_AddColumn", def }: AlterTableCmd): string {
  const words = subtype
    .replace(/^AT_/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
  if (def === undefined) return words;
  if ("Constraint" in def) return `ADD ${constraintWords(def.Constraint)}`;
  if ("PartitionCmd" in def && def.PartitionCmd.concurrent === true) return `${words} CONCURRENTLY`;
  if (subtype === "AT_SetRelOptions" || subtype === "AT_ResetRelOptions") {
    const mild = optionNames(def).every((name) => MILD_OPTION.test(name));
    return mild ? words : `${words} FOR ALL TO SEE`;
  }
  return words;
}

function optionNames(def: Node): string[] {
  const items = "List" in def ? (def.List.items ?? []) : [];
  return items.flatMap((item) => ("DefElem" in item ? [item.DefElem.defname ?? ""] : []));
}

function constraintWords({ contype, indexname }: Constraint): string {
  const words = (contype ?? "CONSTR_CHECK").replace("CONSTR_", "").replace("NOTNULL", "NOT NULL");
  return indexname === undefined ? words : `${words} USING INDEX`;
}

/** Whether adding a constraint reads the table: NOT VALID and an index that is there spare it that. */
function constraintTouchesRows({ contype, indexname, skip_validation: notValid }: Constraint): boolean {
  if (contype === "CONSTR_UNIQUE" || contype === "CONSTR_PRIMARY") return indexname === undefined;
  return notValid !== true;
}

/**
 * Whether a new column makes the server rewrite or read the table. A constant default does not; whether a function of a
 * default is volatile, and a domain has constraints, is not for grammar to tell, so they are taken to.
 */
function addedColumnTouchesRows(def: Node): boolean {
  return columnConstraints(def).some((one) => {
    if (!("Constraint" in one)) return false;
    const { contype, raw_expr: value } = one.Constraint;
    if (contype === "CONSTR_NULL" || contype === "CONSTR_NOTNULL" || contype === "CONSTR_FOREIGN")
      return false;
    return contype !== "CONSTR_DEFAULT" || value === undefined || !isConstant(value);
  });
}

function isConstant(value: Node): boolean {
  if ("TypeCast" in value) return value.TypeCast.arg !== undefined && isConstant(value.TypeCast.arg);
  return "A_Const" in value || "SQLValueFunction" in value;
}
