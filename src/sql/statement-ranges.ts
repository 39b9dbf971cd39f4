import { isComment, isWord, SqlLexer } from "./tokens.ts";

/** Where a statement probably stands; the end is behind its semicolon, or its last token. UTF-16 offsets. */
export interface StatementRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts SQL text at its semicolons without the grammar, to look at each statement alone where the text as a whole does
 * not parse. A semicolon belongs to the statement in the body of CREATE FUNCTION … BEGIN ATOMIC and in the parentheses
 * of CREATE RULE only; unbalanced parentheses anywhere else do not swallow what follows.
 */
export function statementRanges(text: string): StatementRange[] {
  const ranges: StatementRange[] = [];
  const lexer = new SqlLexer(text);
  let start = -1;
  let end = 0;
  let head: string[] = [];
  let parentheses = 0;
  let bodies = 0;
  let afterBegin = false;
  while (lexer.next()) {
    if (isComment(lexer) || lexer.kind === "psql-command" || lexer.kind === "copy-data") continue;
    if (lexer.kind === "semicolon") {
      if (bodies > 0 || (parentheses > 0 && isRule(head))) continue;
      if (start >= 0) ranges.push({ start, end: lexer.end });
      start = -1;
      head = [];
      parentheses = 0;
      continue;
    }
    if (start < 0) start = lexer.start;
    end = lexer.end;
    if (lexer.kind === "open") parentheses += 1;
    if (lexer.kind === "close") parentheses -= 1;
    if (lexer.kind === "word") {
      if (head.length < 4) head.push(text.slice(lexer.start, lexer.end).toLowerCase());
      if (bodies > 0) {
        if (isWord(lexer, "case")) bodies += 1;
        if (isWord(lexer, "end")) bodies -= 1;
      } else if (afterBegin && isWord(lexer, "atomic") && isRoutine(head)) bodies = 1;
    }
    afterBegin = isWord(lexer, "begin");
  }
  if (start >= 0) ranges.push({ start, end });
  return ranges;
}

function created(head: readonly string[]): string | undefined {
  if (head[0] !== "create") return undefined;
  return head[1] === "or" && head[2] === "replace" ? head[3] : head[1];
}

function isRoutine(head: readonly string[]): boolean {
  const what = created(head);
  return what === "function" || what === "procedure";
}

function isRule(head: readonly string[]): boolean {
  return created(head) === "rule";
}
