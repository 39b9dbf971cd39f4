import type { AlterTableStmt, Node, RangeVar, ReindexStmt } from "libpg-query";
import { optionIsOn } from "./options.ts";
import { parseSql } from "./parser.ts";
import { stringOf } from "./tree.ts";

/** A name as written; schema null means through search_path. */
export interface ObjectName {
  readonly schema: string | null;
  readonly name: string;
}

/** What belongs to the whole server and has no schema. */
export type SharedObject = "database" | "tablespace" | "subscription";

/** What a statement that stands alone does, as far as the catalog can tell afterwards whether it is done. */
export type StandAloneAct =
  /** CONCURRENTLY; name null: the server chooses it. The index will be in the schema of its table. */
  | { readonly kind: "create index"; readonly table: ObjectName; readonly name: string | null }
  | { readonly kind: "drop index"; readonly index: ObjectName }
  /** CONCURRENTLY; object null: the current database. */
  | {
      readonly kind: "reindex";
      readonly scope: "index" | "table" | "schema" | "database";
      readonly object: ObjectName | null;
    }
  /** CONCURRENTLY. */
  | { readonly kind: "detach"; readonly parent: ObjectName; readonly partition: ObjectName }
  | { readonly kind: "create"; readonly type: SharedObject; readonly name: string }
  | { readonly kind: "drop"; readonly type: SharedObject; readonly name: string }
  /** Of a subscription. */
  | {
      readonly kind: "publications";
      readonly action: "add" | "drop";
      readonly subscription: string;
      readonly names: readonly string[];
    }
  /** Changes no data, and leaves the same state however often it is run. */
  | { readonly kind: "again"; readonly tag: string };

/** Of what needs no look at the catalog: that they may simply be run again. */
const REPEATABLE_TAGS: ReadonlySet<string> = new Set([
  "VACUUM",
  "ANALYZE",
  "REINDEX",
  "CLUSTER",
  "CHECKPOINT",
  "ALTER SYSTEM",
  "ALTER DATABASE",
  "ALTER SUBSCRIPTION",
  "DISCARD ALL",
]);

/**
 * What a statement that stands alone does.
 * @param tag its command.
 * @returns null for what the catalog does not show: CALL, DO and whatever else is not known here.
 */
export async function standAloneActOf(sql: string, tag: string): Promise<StandAloneAct | null> {
  const outcome = await parseSql(sql);
  const node = outcome.ok ? outcome.statements[0]?.node : undefined;
  if (node === undefined) return null;
  return actOf(node) ?? (REPEATABLE_TAGS.has(tag) ? { kind: "again", tag } : null);
}

function actOf(node: Node): StandAloneAct | null {
  if ("IndexStmt" in node) {
    const { concurrent, idxname, relation } = node.IndexStmt;
    const table = nameOf(relation);
    if (concurrent !== true || table === null) return null;
    return { kind: "create index", table, name: idxname ?? null };
  }
  if ("DropStmt" in node) {
    const [object] = node.DropStmt.objects ?? [];
    const index = node.DropStmt.concurrent === true ? listedName(object) : null;
    return index === null ? null : { kind: "drop index", index };
  }
  if ("ReindexStmt" in node) return reindexOf(node.ReindexStmt);
  if ("AlterTableStmt" in node) return detachOf(node.AlterTableStmt);
  if ("AlterSubscriptionStmt" in node) {
    const { kind, subname, publication } = node.AlterSubscriptionStmt;
    const action = PUBLICATION_ACTIONS[kind ?? ""];
    if (action === undefined || subname === undefined) return null;
    const names = (publication ?? []).flatMap((one) => stringOf(one) ?? []);
    return { kind: "publications", action, subscription: subname, names };
  }
  return sharedObjectOf(node);
}

const PUBLICATION_ACTIONS: Readonly<Record<string, "add" | "drop">> = {
  ALTER_SUBSCRIPTION_ADD_PUBLICATION: "add",
  ALTER_SUBSCRIPTION_DROP_PUBLICATION: "drop",
};

function sharedObjectOf(node: Node): StandAloneAct | null {
  const made = (type: SharedObject, name: string | undefined): StandAloneAct | null =>
    name === undefined ? null : { kind: "create", type, name };
  const dropped = (type: SharedObject, name: string | undefined): StandAloneAct | null =>
    name === undefined ? null : { kind: "drop", type, name };
  if ("CreatedbStmt" in node) return made("database", node.CreatedbStmt.dbname);
  if ("DropdbStmt" in node) return dropped("database", node.DropdbStmt.dbname);
  if ("CreateTableSpaceStmt" in node) return made("tablespace", node.CreateTableSpaceStmt.tablespacename);
  if ("DropTableSpaceStmt" in node) return dropped("tablespace", node.DropTableSpaceStmt.tablespacename);
  if ("CreateSubscriptionStmt" in node) return made("subscription", node.CreateSubscriptionStmt.subname);
  if ("DropSubscriptionStmt" in node) return dropped("subscription", node.DropSubscriptionStmt.subname);
  return null;
}

function reindexOf({ kind, name, params, relation }: ReindexStmt): StandAloneAct | null {
  if (!optionIsOn(params, "concurrently", false)) return null;
  if (kind === "REINDEX_OBJECT_INDEX") return { kind: "reindex", scope: "index", object: nameOf(relation) };
  if (kind === "REINDEX_OBJECT_TABLE") return { kind: "reindex", scope: "table", object: nameOf(relation) };
  if (kind === "REINDEX_OBJECT_SCHEMA")
    return { kind: "reindex", scope: "schema", object: { schema: null, name: name ?? "" } };
  return { kind: "reindex", scope: "database", object: null };
}

function detachOf({ cmds, relation }: AlterTableStmt): StandAloneAct | null {
  const [only] = cmds ?? [];
  const parent = nameOf(relation);
  if (only === undefined || parent === null || !("AlterTableCmd" in only)) return null;
  const { def, subtype } = only.AlterTableCmd;
  if (subtype !== "AT_DetachPartition" || def === undefined || !("PartitionCmd" in def)) return null;
  const partition = nameOf(def.PartitionCmd.name);
  return def.PartitionCmd.concurrent === true && partition !== null
    ? { kind: "detach", parent, partition }
    : null;
}

function nameOf(relation: RangeVar | undefined): ObjectName | null {
  if (relation?.relname === undefined) return null;
  return { schema: relation.schemaname ?? null, name: relation.relname };
}

/** The last two of a dotted name. */
function listedName(object: Node | undefined): ObjectName | null {
  if (object === undefined || !("List" in object)) return null;
  const names = (object.List.items ?? []).map(stringOf);
  const name = names.at(-1);
  return name === undefined ? null : { schema: names.at(-2) ?? null, name };
}
