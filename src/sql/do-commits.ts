import type { Node } from "libpg-query";
import { stringOf } from "./tree.ts";
import { isComment, isWord, SqlLexer } from "./tokens.ts";

/**
 * Whether the statement is a DO block of PL/pgSQL that commits or rolls back (manual 41.8). Only the statements of the
 * block count: not strings, comments, names, or what EXECUTE or CALL run.
 */
export function doCommits(node: Node): boolean {
  if (!("DoStmt" in node)) return false;
  let body = "";
  let language = "plpgsql";
  for (const option of node.DoStmt.args ?? []) {
    if (!("DefElem" in option)) continue;
    const { defname, arg } = option.DefElem;
    if (defname === "as") body = stringOf(arg) ?? "";
    if (defname === "language") language = stringOf(arg) ?? "";
  }
  return language.toLowerCase() === "plpgsql" && endsTransaction(body);
}

/** Words and signs that a statement of PL/pgSQL can follow. */
const BEFORE_STATEMENT = ["begin", "then", "else", "loop"];

/** Looks for `COMMIT | ROLLBACK [AND [NO] CHAIN];` where a statement can begin. */
function endsTransaction(body: string): boolean {
  const lexer = new SqlLexer(body);
  let canBegin = false;
  let brackets = 0;
  let pending: "no" | "commit" | "and" | "chain" = "no";
  while (lexer.next()) {
    if (isComment(lexer)) continue;
    if (lexer.kind === "semicolon") {
      if (pending === "commit" || pending === "chain") return true;
      pending = "no";
      canBegin = true;
      continue;
    }
    if (pending === "commit" && isWord(lexer, "and")) pending = "and";
    else if (pending === "and" && isWord(lexer, "no")) pending = "and";
    else if (pending === "and" && isWord(lexer, "chain")) pending = "chain";
    else if (canBegin && (isWord(lexer, "commit") || isWord(lexer, "rollback"))) pending = "commit";
    else pending = "no";
    // A label, <<name>>, ends with two brackets.
    brackets = body[lexer.start] === ">" ? brackets + 1 : 0;
    canBegin = brackets === 2 || BEFORE_STATEMENT.some((word) => isWord(lexer, word));
  }
  return false;
}
