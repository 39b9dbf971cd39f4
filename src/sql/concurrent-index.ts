import { parseSql } from "./parser.ts";
import { stringOf } from "./tree.ts";

/** The index that a statement makes or drops CONCURRENTLY. */
export interface ConcurrentIndex {
  readonly action: "create" | "drop";
  /** As written, for CREATE that of its table, where the index will be; null means through search_path. */
  readonly schema: string | null;
  readonly name: string;
}

/**
 * Which index a statement makes or drops CONCURRENTLY, to find it in the catalog when the outcome is unknown.
 * @returns null for any other statement, and for CREATE INDEX without a name: the server chooses one.
 */
export async function concurrentIndexOf(sql: string): Promise<ConcurrentIndex | null> {
  const outcome = await parseSql(sql);
  const node = outcome.ok ? outcome.statements[0]?.node : undefined;
  if (node === undefined) return null;
  if ("IndexStmt" in node) {
    const { concurrent, idxname: name, relation } = node.IndexStmt;
    if (concurrent !== true || name === undefined) return null;
    return { action: "create", schema: relation?.schemaname ?? null, name };
  }
  if (!("DropStmt" in node) || node.DropStmt.concurrent !== true) return null;
  const [object] = node.DropStmt.objects ?? [];
  if (object === undefined || !("List" in object)) return null;
  const names = (object.List.items ?? []).map(stringOf);
  const name = names.at(-1);
  return name === undefined ? null : { action: "drop", schema: names.at(-2) ?? null, name };
}
