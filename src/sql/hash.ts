import { hash } from "node:crypto";
import type { Node } from "libpg-query";

/** Fields that say where something stood in the text; CREATE TABLESPACE's `location` is a string and stays. */
const PLACE = '"(?:(?:name_|stmt_)?location|stmt_len|(?:rexpr_)?list_(?:start|end))":-?\\d+';
/** With the comma before it, or the one behind it: a place that is 0 is not written at all. */
const PLACES = new RegExp(`,${PLACE}|${PLACE},?`, "g");

/**
 * `sha256:<hex>` of a statement's parse tree without positions: comments, white space, line ends and the case of
 * keywords do not change it; any other name, literal or clause does. The tree is hashed as the parser's JSON: its own text
 * cannot look like a place, since quotes within strings are escaped there. Fields stand in the order of the grammar's nodes.
 * @throws RangeError for a tree too deep to walk.
 */
export function statementHash(node: Node): string {
  return `sha256:${hash("sha256", JSON.stringify(node).replaceAll(PLACES, ""), "hex")}`;
}
