import { hash } from "node:crypto";
import type { Node } from "libpg-query";

/** Fields that say where something stood in the text; CREATE TABLESPACE's `location` is a string and stays. */
const PLACES: ReadonlySet<string> = new Set([
  "location",
  "name_location",
  "stmt_location",
  "stmt_len",
  "list_start",
  "list_end",
  "rexpr_list_start",
  "rexpr_list_end",
]);

/**
 * `sha256:<hex>` of a statement's parse tree without positions: comments, white space, line ends and the case of
 * keywords do not change it; any other name, literal or clause does.
 * @throws RangeError for a tree too deep to walk.
 */
export function statementHash(node: Node): string {
  return `sha256:${hash("sha256", canonical(node), "hex")}`;
}

/** JSON with sorted keys, so that the order in which a version of the parser writes them does not matter. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    let items = "";
    for (const item of value) items += items === "" ? canonical(item) : `,${canonical(item)}`;
    return `[${items}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields: [string, unknown][] = Object.entries(value);
  let text = "";
  for (const [key, field] of fields.sort(byKey)) {
    if (PLACES.has(key) && typeof field === "number") continue;
    text += text === "" ? `"${key}":${canonical(field)}` : `,"${key}":${canonical(field)}`;
  }
  return `{${text}}`;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
