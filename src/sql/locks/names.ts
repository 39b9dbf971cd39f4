import type { Node } from "libpg-query";
import { stringOf } from "../tree.ts";
import type { NamedRelation } from "./types.ts";

/** The parts of a name in a list of strings, as DROP, COMMENT and ALTER write objects. */
export function partsOf(object: Node | undefined): string[] {
  if (object === undefined) return [];
  const items = "List" in object ? (object.List.items ?? []) : [object];
  return items.flatMap((item) => {
    if ("TypeName" in item) return (item.TypeName.names ?? []).flatMap((part) => stringOf(part) ?? []);
    return stringOf(item) ?? [];
  });
}

/** A relation named by the parts of its name; a database in front is that of the session. */
export function relationOf(parts: readonly string[]): NamedRelation | null {
  const name = parts.at(-1);
  return name === undefined ? null : { schema: parts.at(-2) ?? null, name };
}
