import { endOfBlockComment, SqlLexer, startsLine } from "./tokens.ts";
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
  const add = (start: number, end: number): void => {
    const ownLine = startsLine(text, start);
    comments.push({ text: text.slice(start, end), ...positions.to(start), offset: start, ownLine });
  };
  if (!NOT_PLAIN.test(text)) eachPlainComment(text, add);
  else {
    const lexer = new SqlLexer(text);
    while (lexer.next()) if (lexer.kind === "line-comment") add(lexer.start, lexer.end);
  }
  return comments;
}

/** Without dollar quotes, escape strings, backslashes and COPY only quotes and block comments can hide a line comment. */
const NOT_PLAIN = /[$\\]|copy|e'/i;
const HIDING = /--[^\n\r]*|'[^']*'?|"[^"]*"?|\/\*/g;

/** What the lexer would find, in a tenth of its time. */
function eachPlainComment(text: string, found: (start: number, end: number) => void): void {
  HIDING.lastIndex = 0;
  for (let match = HIDING.exec(text); match !== null; match = HIDING.exec(text)) {
    const { index } = match;
    if (match[0] === "/*") HIDING.lastIndex = endOfBlockComment(text, index);
    else if (match[0].startsWith("--")) found(index, HIDING.lastIndex);
  }
}
