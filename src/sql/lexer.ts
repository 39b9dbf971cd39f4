import { SqlLexer, startsLine } from "./tokens.ts";
import { PositionWalker } from "./position.ts";

/** A comment from `--` to the end of its line. */
export interface LineComment {
  /** With its dashes, without the line break. */
  readonly text: string;
  /** 1-based, as in Location. */
  readonly line: number;
  readonly column: number;
  /** Of its first dash, in UTF-16 units. */
  readonly offset: number;
  /** Whether nothing but blanks stands before it on its line. */
  readonly ownLine: boolean;
}

/**
 * The line comments of SQL text, in order; what looks like one inside strings, dollar quotes, quoted names, block
 * comments or COPY data is none. Takes any text and never throws; loads no parser.
 */
export function lineComments(text: string): LineComment[] {
  const comments: LineComment[] = [];
  if (!text.includes("--")) return comments;
  const positions = new PositionWalker(text);
  const lexer = new SqlLexer(text);
  while (lexer.next()) {
    if (lexer.kind !== "line-comment") continue;
    const { start, end } = lexer;
    const ownLine = startsLine(text, start);
    comments.push({ text: text.slice(start, end), ...positions.to(start), offset: start, ownLine });
  }
  return comments;
}
