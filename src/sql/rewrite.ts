import type { Node } from "libpg-query";
import { statementHash } from "./hash.ts";
import { parseSql } from "./parser.ts";
import { ByteWalker } from "./parser-text.ts";
import { isComment, isWord, SqlLexer } from "./tokens.ts";

/** A part of a text, in UTF-16 units. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

interface Edit extends Stretch {
  readonly text: string;
}

/**
 * A copy of a statement in which some names are others. The author's own text is kept and only the names' tokens are
 * replaced, at the places that the grammar gives; the tree is changed alike, and `result` proves that the new text
 * reads as the new tree. Nothing is ever put together from a tree.
 */
export class StatementRewrite<T extends Node = Node> {
  readonly sql: string;
  /** The tree, to be changed as the text is. */
  readonly node: T;
  readonly #edits: Edit[] = [];

  constructor(sql: string, node: T) {
    this.sql = sql;
    this.node = structuredClone(node);
  }

  /** Replaces the dotted name that begins at a location of the grammar, in bytes; a missing location is 0. */
  replaceNameAt(location: number | undefined, text: string): void {
    this.replace(nameAt(this.sql, new ByteWalker(this.sql).to(location ?? 0)), text);
  }

  /** Replaces the dotted name behind these keywords, which must follow each other; comments between them do not matter. */
  replaceNameBehind(keywords: readonly string[], text: string): void {
    const found = keywordsOf(this.sql, keywords);
    this.replace(found === null ? null : nameAt(this.sql, found.end), text);
  }

  /** Replaces a part of the text. null: there is none, so that there will be no result. */
  replace(part: Stretch | null, text: string): void {
    this.#edits.push(part === null ? { start: -1, end: -1, text } : { ...part, text });
  }

  /** @returns the new text; null where it does not read as the changed tree. */
  async result(): Promise<string | null> {
    const edits = this.#edits.toSorted((a, b) => a.start - b.start);
    let text = "";
    let at = 0;
    for (const edit of edits) {
      if (edit.start < at) return null;
      text += this.sql.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    text += this.sql.slice(at);
    const parsed = await parseSql(text);
    if (!parsed.ok || parsed.statements.length !== 1) return null;
    return statementHash(parsed.statements[0]!.node) === statementHash(this.node) ? text : null;
  }
}

/** The dotted name whose first token stands at the offset or behind it; null: no name stands there. */
function nameAt(sql: string, offset: number): Stretch | null {
  const lexer = new SqlLexer(sql, offset);
  if (!nextToken(lexer) || (lexer.kind !== "word" && lexer.kind !== "quoted-name")) return null;
  const { start } = lexer;
  let { end } = lexer;
  while (nextToken(lexer) && sql.slice(lexer.start, lexer.end) === "." && nextToken(lexer)) end = lexer.end;
  return { start, end };
}

/** The tokens of these keywords, which must follow each other; null: they do not stand in the text. */
export function keywordsOf(sql: string, keywords: readonly string[], from = 0): Stretch | null {
  const lexer = new SqlLexer(sql, from);
  let start = 0;
  let matched = 0;
  while (matched < keywords.length) {
    if (!nextToken(lexer)) return null;
    if (!isWord(lexer, keywords[matched]!)) matched = 0;
    if (isWord(lexer, keywords[matched]!)) {
      if (matched === 0) start = lexer.start;
      matched += 1;
    }
  }
  return { start, end: lexer.end };
}

function nextToken(lexer: SqlLexer): boolean {
  while (lexer.next()) if (!isComment(lexer)) return true;
  return false;
}
