import type { Node, RangeVar } from "libpg-query";
import { stringOf } from "./tree.ts";
import type { Statement } from "./types.ts";

type SessionEffect = Statement["sessionEffect"];

const CURSOR_WITH_HOLD = 0x20;

/**
 * What a statement leaves behind in its session: settings, temporary objects, or what only this session has (prepared
 * statements, LISTEN, held cursors, loaded libraries). SET LOCAL and tables that are dropped on commit leave nothing.
 */
export function sessionEffect(node: Node): SessionEffect {
  if ("VariableSetStmt" in node) {
    const { is_local: isLocal, kind, name } = node.VariableSetStmt;
    // SET TRANSACTION speaks of the open transaction; SET SESSION CHARACTERISTICS of all that follow.
    const ofTransaction = kind === "VAR_SET_MULTI" && name !== "SESSION CHARACTERISTICS";
    return isLocal === true || ofTransaction ? null : "set";
  }
  if ("SelectStmt" in node) {
    if (isTemporary(node.SelectStmt.intoClause?.rel)) return "temporary";
    return setsConfig(node) ? "set" : null;
  }
  if ("PrepareStmt" in node || "ListenStmt" in node || "LoadStmt" in node) return "prepare";
  if ("DeclareCursorStmt" in node) {
    return ((node.DeclareCursorStmt.options ?? 0) & CURSOR_WITH_HOLD) === 0 ? null : "prepare";
  }
  return createsTemporary(node) ? "temporary" : null;
}

function createsTemporary(node: Node): boolean {
  if ("CreateStmt" in node) {
    const { relation, oncommit } = node.CreateStmt;
    return oncommit !== "ONCOMMIT_DROP" && isTemporary(relation);
  }
  if ("CreateTableAsStmt" in node) {
    const { into } = node.CreateTableAsStmt;
    return into?.onCommit !== "ONCOMMIT_DROP" && isTemporary(into?.rel);
  }
  if ("ViewStmt" in node) return isTemporary(node.ViewStmt.view);
  if ("CreateSeqStmt" in node) return isTemporary(node.CreateSeqStmt.sequence);
  if ("CompositeTypeStmt" in node) return isTemporary(node.CompositeTypeStmt.typevar);
  if ("CreateFunctionStmt" in node) return isInTemporarySchema(node.CreateFunctionStmt.funcname);
  if ("CreateEnumStmt" in node) return isInTemporarySchema(node.CreateEnumStmt.typeName);
  if ("CreateRangeStmt" in node) return isInTemporarySchema(node.CreateRangeStmt.typeName);
  if ("CreateDomainStmt" in node) return isInTemporarySchema(node.CreateDomainStmt.domainname);
  if ("DefineStmt" in node) return isInTemporarySchema(node.DefineStmt.defnames);
  return false;
}

function isTemporary(relation: RangeVar | undefined): boolean {
  return relation?.relpersistence === "t" || relation?.schemaname === "pg_temp";
}

function isInTemporarySchema(name: readonly Node[] | undefined): boolean {
  return name !== undefined && name.length > 1 && stringOf(name[0]) === "pg_temp";
}

/** Whether set_config is called anywhere in it for more than the transaction: its third argument is not plainly true. */
function setsConfig(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(setsConfig);
  const call = (value as { FuncCall?: { funcname?: Node[]; args?: Node[] } }).FuncCall;
  if (call !== undefined && stringOf(call.funcname?.at(-1)) === "set_config" && !isTrue(call.args?.[2]))
    return true;
  return Object.values(value).some(setsConfig);
}

function isTrue(node: Node | undefined): boolean {
  return node !== undefined && "A_Const" in node && node.A_Const.boolval?.boolval === true;
}
