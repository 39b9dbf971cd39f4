import type { Node } from "libpg-query";

/** The text of a String node; undefined for anything else. */
export function stringOf(node: Node | undefined): string | undefined {
  return node !== undefined && "String" in node ? node.String.sval : undefined;
}
