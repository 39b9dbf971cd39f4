import { SqlLexer } from "./tokens.ts";

/** A backslash command of psql in SQL text. */
export interface PsqlCommand {
  /** `\connect`, `\.`, `\!`. */
  readonly name: string;
  readonly hint: string;
  /** UTF-16 offset of the backslash. */
  readonly offset: number;
}

export interface PsqlScan {
  /** The text with everything that is for psql alone blanked out; of the same length, so that offsets stay. */
  readonly sql: string;
  readonly commands: readonly PsqlCommand[];
  /** From where on the text may be COPY data that has no end; syntax errors behind it say nothing. */
  readonly unclosedCopy: number | null;
  /** Whether there is anything to parse: more than semicolons and comments that are closed for certain. */
  readonly needsParser: boolean;
}

const ANOTHER_DATABASE = "a migration runs on one target: put this part into a stream of that database";
const INCLUDE = "put the SQL itself here, or into a migration of its own that this one `requires`";
const VARIABLE = "psql's variables are no SQL: write the value, or use a code migration";
const CONDITION = "write the condition in SQL (`DO $$ BEGIN IF … END $$`), or use a code migration";
const COPY = "write INSERT, COPY … FROM a file or program of the server, or a code migration";
const DUMP = "delete the line: pg_dump writes it for psql, and it changes nothing in the database";
const SEND = "end the statement with a semicolon instead";

const HINTS: Readonly<Record<string, string>> = {
  i: INCLUDE,
  ir: INCLUDE,
  include: INCLUDE,
  include_relative: INCLUDE,
  c: ANOTHER_DATABASE,
  connect: ANOTHER_DATABASE,
  set: VARIABLE,
  unset: VARIABLE,
  gset: VARIABLE,
  prompt: VARIABLE,
  if: CONDITION,
  elif: CONDITION,
  else: CONDITION,
  endif: CONDITION,
  copy: COPY,
  ".": "it ends the data of COPY … FROM stdin, of which there is none here: delete the line",
  restrict: DUMP,
  unrestrict: DUMP,
  g: SEND,
  gx: SEND,
  ";": SEND,
  gexec: "it runs what a query returns: use `DO $$ … EXECUTE … $$`, or a code migration",
};

/** Without either there is nothing for psql in a text. */
const FOR_PSQL = /\\|copy/i;

function hasStatement(lexer: SqlLexer): boolean {
  while (lexer.next()) {
    const { kind, end, text } = lexer;
    if (kind === "block-comment" ? end === text.length : kind !== "line-comment" && kind !== "semicolon")
      return true;
  }
  return false;
}

/** Finds what only psql understands and takes it out, so that the rest can be parsed. Loads no parser. */
export function scanForPsql(text: string): PsqlScan {
  const lexer = new SqlLexer(text);
  if (!FOR_PSQL.test(text)) {
    return { sql: text, commands: [], unclosedCopy: null, needsParser: hasStatement(lexer) };
  }
  const commands: PsqlCommand[] = [];
  const pieces: string[] = [];
  let needsParser = false;
  let kept = 0;
  while (lexer.next()) {
    const { kind, start, end } = lexer;
    if (kind === "psql-command") {
      const name = /^\\(?:[a-z_]+|.)/i.exec(text.slice(start, end))?.[0] ?? "\\";
      const word = name.slice(1);
      commands.push({ name, hint: HINTS[word.toLowerCase()] ?? "delete the line", offset: start });
      // A command that sends the statement before it is its end.
      const ends = HINTS[word] === SEND || /^(?:g[a-z]+|watch|crosstabview)$/.test(word);
      pieces.push(text.slice(kept, start), ends ? ";" : " ", " ".repeat(end - start - 1));
      kept = end;
    } else if (kind === "copy-data") {
      pieces.push(text.slice(kept, start), text.slice(start, end).replaceAll(/[^\n\r]/g, " "));
      kept = end;
    } else if (kind === "block-comment") {
      needsParser ||= end === text.length;
    } else if (kind !== "line-comment" && kind !== "semicolon") {
      needsParser = true;
    }
  }
  pieces.push(text.slice(kept));
  return { sql: pieces.join(""), commands, unclosedCopy: lexer.unclosedCopy, needsParser };
}
