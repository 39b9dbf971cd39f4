import { createRequire } from "node:module";
import { parserIsLoaded } from "../core/before-parser.ts";
import type * as libpgQuery from "libpg-query";
import type { Node, ParseResult } from "libpg-query";
import { isReported, parseFault, type ParseFault } from "./parse-fault.ts";
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

type ParserModule = Pick<typeof libpgQuery, "parseSync">;

let loading: Promise<ParserModule> | undefined;
let isSpoiled = false;

/** Begins to load the grammar, which the engine compiles beside other work, for a text that is sure to come. */
export function prepareParser(): void {
  loading ??= load();
  loading.catch(() => undefined);
}

/** Loads the grammar when it is first needed; anew if what was loaded is spoiled. */
async function load(): Promise<ParserModule> {
  parserIsLoaded();
  const parser = requireParser(isSpoiled);
  isSpoiled = false;
  await parser.loadModule();
  return parser;
}

/**
 * Requires it: that takes a third less time than importing a CommonJS module.
 * @param anew whether a second instance is wanted: modules are kept once loaded, but this one can be forgotten.
 */
function requireParser(anew: boolean): typeof libpgQuery {
  const require = createRequire(import.meta.url);
  if (anew) delete require.cache[require.resolve("libpg-query")];
  return require("libpg-query");
}

/**
 * Parses SQL text with PostgreSQL's own grammar (version 18). A syntax error is an outcome, not an exception, and so is
 * a text that the parser cannot take at all (nesting too deep). The text must be free of NUL characters.
 */
export async function parseSql(text: string): Promise<ParseOutcome> {
  const plain = parserText(text);
  if (plain === "") return { ok: true, statements: [] };
  loading ??= load();
  const parser = await loading;
  try {
    return { ok: true, statements: locate(text, parser.parseSync(plain)) };
  } catch (error) {
    // What JavaScript threw out of the middle of the parser leaves its memory in disorder: measured, after some forty
    // overflows of the stack it never returned. Errors that the parser itself reports are harmless.
    if (!isReported(error)) {
      isSpoiled = true;
      loading = undefined;
    }
    return { ok: false, fault: parseFault(error, text) };
  }
}

function locate(text: string, { stmts = [] }: ParseResult): ParsedStatement[] {
  const bytes = new ByteWalker(text);
  const statements: ParsedStatement[] = [];
  for (const { stmt, stmt_location: location = 0, stmt_len: length } of stmts) {
    if (stmt === undefined) continue;
    // Offsets count bytes of UTF-8; the length is missing for a last statement without a semicolon.
    const start = bytes.to(location);
    const end = length === undefined ? text.length : bytes.to(location + length);
    statements.push({ node: stmt, start, end });
  }
  return statements;
}
