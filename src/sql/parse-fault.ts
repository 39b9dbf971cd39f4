import { parserCharacterOffset } from "./parser-text.ts";

/** Why a text could not be parsed. */
export interface ParseFault {
  readonly message: string;
  readonly hint: string | null;
  /** UTF-16 offset in the text; null where the parser could not say. */
  readonly offset: number | null;
}

export const TOO_DEEP: ParseFault = {
  message: "the statement nests too deeply to be read",
  hint: "split it: several statements, a shorter chain of operators or UNIONs, or the values as rows of an INSERT",
  offset: null,
};

/**
 * Explains what the parser threw. It throws an error with a position for SQL that is wrong, and for nesting that is too
 * deep either "memory exhausted" (its own stack, 10 000 levels) or a RangeError (the stack of JavaScript, a few thousand levels).
 */
export function parseFault(error: unknown, text: string): ParseFault {
  if (error instanceof RangeError) return TOO_DEEP;
  const message = error instanceof Error ? error.message : String(error);
  const position = positionOf(error);
  if (position === null) return { message: `the SQL parser failed: ${message}`, hint: null, offset: null };
  const offset = parserCharacterOffset(text, position);
  if (message.startsWith("memory exhausted")) return { ...TOO_DEEP, offset };
  return { message, hint: hintFor(message, text, offset), offset };
}

/** Whether the parser itself reported the error, as against what stopped it from outside. */
export function isReported(error: unknown): boolean {
  return positionOf(error) !== null;
}

/** The 0-based character that the parser's error names. */
function positionOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("sqlDetails" in error)) return null;
  const details = error.sqlDetails;
  if (typeof details !== "object" || details === null || !("cursorPosition" in details)) return null;
  return typeof details.cursorPosition === "number" ? details.cursorPosition : null;
}

/** Characters that look like white space or quotes and are neither; they come with text copied from a page. */
const LOOKALIKE = /[\u00a0\u00ad\u2000-\u200f\u2018-\u201f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/u;

function hintFor(message: string, text: string, offset: number): string | null {
  const rest = text.slice(offset, offset + 200);
  if (/^:(?:['"{]|[A-Za-z_])/.test(rest)) {
    return "psql's variables (:name) are no SQL: write the value, or use a code migration";
  }
  if (rest.startsWith("\\")) return "a backslash means something to psql only";
  if (/'[^']*\\'/.test(text.slice(Math.max(0, offset - 200), offset))) {
    return "a backslash does not escape in '…': double the quote (''), or write E'…'";
  }
  const near = /^[^ \t\n\r\f\v]*/.exec(rest)?.[0] ?? "";
  const lookalike = LOOKALIKE.exec(near)?.[0];
  if (lookalike !== undefined) {
    const code = lookalike.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    return `the character U+${code} is here, which only looks like a blank or a quote: type it anew`;
  }
  if (message.startsWith("unterminated quoted string")) {
    return "the string that starts here has no end; a quote inside a string is doubled: ''";
  }
  return null;
}
