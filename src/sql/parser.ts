import type { Node, ParseResult } from "libpg-query";
import { parseFault, type ParseFault } from "./parse-fault.ts";
import { ByteWalker, parserText } from "./parser-text.ts";

/** A statement as the grammar found it; offsets are UTF-16 units of the text that was parsed. */
export interface ParsedStatement {
  readonly node: Node;
  /** Of its first token. */
  readonly start: number;
  /** Of the semicolon or the end of the text: white space and comments behind the last token are included. */
  readonly end: number;
}

export type ParseOutcome =
  | { readonly ok: true; readonly statements: readonly ParsedStatement[] }
  | { readonly ok: false; readonly fault: ParseFault };

interface ParserModule {
  parseSync(query: string): ParseResult;
}

let loading: Promise<ParserModule> | undefined;

async function load(): Promise<ParserModule> {
  const parser = await import("libpg-query");
  await parser.loadModule();
  return parser;
}

/** Loads PostgreSQL's grammar (once, when it is first needed) and gives the function that parses with it. */
export async function loadParser(): Promise<(text: string) => ParseOutcome> {
  loading ??= load();
  const parser = await loading;
  return (text) => parse(parser, text);
}

/**
 * Parses SQL text with PostgreSQL's own grammar (version 18). A syntax error is an outcome, not an exception, and so is
 * a text that the parser cannot take at all (nesting too deep). The text must be free of NUL characters.
 */
export async function parseSql(text: string): Promise<ParseOutcome> {
  const parseText = await loadParser();
  return parseText(text);
}

function parse(parser: ParserModule, text: string): ParseOutcome {
  const plain = parserText(text);
  if (plain === "") return { ok: true, statements: [] };
  try {
    const bytes = new ByteWalker(text);
    const { stmts = [] } = parser.parseSync(plain);
    const statements: ParsedStatement[] = [];
    for (const { stmt, stmt_location: location = 0, stmt_len: length } of stmts) {
      if (stmt === undefined) continue;
      // Offsets count bytes of UTF-8; the length is missing for a last statement without a semicolon.
      const start = bytes.to(location);
      const end = length === undefined ? text.length : bytes.to(location + length);
      statements.push({ node: stmt, start, end });
    }
    return { ok: true, statements };
  } catch (error) {
    return { ok: false, fault: parseFault(error, text) };
  }
}
