import type { Node } from "libpg-query";
import { checksumOf } from "./checksum.ts";
import { classify, type Classification } from "./classify.ts";
import { DirectiveReader } from "./directive-reader.ts";
import { statementHash } from "./hash.ts";
import { NO_LOCKS } from "./locks/types.ts";
import { NewTables } from "./new-tables.ts";
import { TOO_DEEP, type ParseFault } from "./parse-fault.ts";
import { parseSql, type ParsedStatement } from "./parser.ts";
import { PositionWalker, TEXT_START, type Position } from "./position.ts";
import { scanForPsql, type PsqlScan } from "./psql.ts";
import { refusal } from "./refusal.ts";
import { statementRanges } from "./statement-ranges.ts";
import type { SplitResult, SqlProblem, Statement } from "./types.ts";

/** A fault and its place as a UTF-16 offset. */
interface Fault {
  readonly message: string;
  readonly hint: string | null;
  readonly offset: number;
}

/** A statement before its text is cut out; without a tree if it could not be read. */
type Piece = Omit<ParsedStatement, "node"> & { readonly node: Node | null };

/** A text to split, and where in its file it begins. */
export interface SqlPart {
  readonly text: string;
  readonly position: Position;
}

/**
 * Splits SQL text into statements with PostgreSQL's own grammar and says of each what it takes to run it.
 * What cannot be in a migration is a problem, as is wrong syntax: all of them are found in one go.
 * @param position where in its file the text begins.
 */
export async function splitSql(text: string, position: Position = TEXT_START): Promise<SplitResult> {
  const [result] = await splitParts([{ text, position }]);
  return result!;
}

/**
 * As `splitSql` for each of several texts; sound ones are parsed in one go.
 * @returns the results in the order of the parts.
 */
export async function splitParts(parts: readonly SqlPart[]): Promise<SplitResult[]> {
  const prepared = parts.map(({ text }): Prepared => {
    const faults = nulCharacters(text);
    const scan = scanForPsql(faults.length === 0 ? text : text.replaceAll("\0", " "));
    for (const { name, hint, offset } of scan.commands) {
      faults.push({ message: `${name} is a command of psql, not SQL`, hint, offset });
    }
    return { scan, faults };
  });
  const pieces = (await parseTogether(prepared)) ?? (await parseEach(prepared));
  return parts.map(({ text, position }, index) => {
    const { scan, faults } = prepared[index]!;
    const statements = cutOut(text, scan.sql, pieces[index]!, position, faults);
    const positions = new PositionWalker(text, position);
    const problems: SqlProblem[] = faults
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ message, hint, offset }) => ({ message, hint, ...positions.to(offset) }));
    return Object.freeze({ statements: Object.freeze(statements), problems: Object.freeze(problems) });
  });
}

/** A text of which is known what only psql understands. */
interface Prepared {
  readonly scan: PsqlScan;
  readonly faults: Fault[];
}

const SEPARATOR = "\n;\n";

/**
 * Parses several texts as one, which takes little more time than one of them.
 * @returns the pieces of each; null if there is nothing to gain, or a text is wrong by itself or only right together with the next.
 */
async function parseTogether(parts: readonly Prepared[]): Promise<readonly Piece[][] | null> {
  if (parts.length < 2 || parts.some(({ scan }) => !scan.needsParser)) return null;
  const whole = await parseSql(parts.map(({ scan }) => scan.sql).join(SEPARATOR));
  if (!whole.ok) return null;
  const found: Piece[][] = [];
  let from = 0;
  let next = 0;
  for (const { scan } of parts) {
    const to = from + scan.sql.length;
    const own: Piece[] = [];
    for (; next < whole.statements.length && whole.statements[next]!.start < to; next += 1) {
      const { node, start, end } = whole.statements[next]!;
      if (start < from || end > to + SEPARATOR.length) return null;
      own.push({ node, start: start - from, end: Math.min(end, to) - from });
    }
    found.push(own);
    from = to + SEPARATOR.length;
  }
  return found;
}

async function parseEach(parts: readonly Prepared[]): Promise<readonly (readonly Piece[])[]> {
  const found: (readonly Piece[])[] = [];
  for (const { scan, faults } of parts) {
    found.push(scan.needsParser ? await parseAll(scan.sql, scan.unclosedCopy ?? Infinity, faults) : []);
  }
  return found;
}

function nulCharacters(text: string): Fault[] {
  const offset = text.indexOf("\0");
  if (offset === -1) return [];
  const message = "the text has a NUL character, which PostgreSQL cannot take";
  return [{ message, hint: "delete it; a file saved as UTF-16 has many: save it as UTF-8", offset }];
}

/** Parses the text as a whole, which is exact; if that fails, statement by statement, to find every fault. */
async function parseAll(sql: string, faithUntil: number, faults: Fault[]): Promise<readonly Piece[]> {
  const whole = await parseSql(sql);
  if (whole.ok) return whole.statements;
  const pieces: Piece[] = [];
  let found = false;
  for (const range of statementRanges(sql)) {
    const outcome = await parseSql(sql.slice(range.start, range.end));
    if (outcome.ok) {
      for (const { node, start, end } of outcome.statements) {
        pieces.push({ node, start: range.start + start, end: range.start + end });
      }
    } else {
      found = true;
      if (range.start < faithUntil) faults.push(syntaxFault(outcome.fault, range.start));
      pieces.push({
        node: null,
        start: range.start,
        end: sql[range.end - 1] === ";" ? range.end - 1 : range.end,
      });
    }
  }
  if (!found) faults.push(syntaxFault(whole.fault, 0));
  return pieces;
}

function syntaxFault({ message, hint, offset }: ParseFault, start: number): Fault {
  return { message, hint, offset: start + (offset ?? 0) };
}

function cutOut(
  text: string,
  sql: string,
  pieces: readonly Piece[],
  position: Position,
  faults: Fault[],
): Statement[] {
  const positions = new PositionWalker(text, position);
  const reader = new DirectiveReader(sql, position);
  const newTables = new NewTables();
  return pieces.map(({ node, start, end }, index) => {
    const { directives, codeEnd } = reader.statement(start, end);
    const body = text.slice(start, codeEnd);
    const place = positions.to(start);
    const complain = (fault: Omit<Fault, "offset">): number => faults.push({ ...fault, offset: start });
    const quick = node !== null && newTables.isQuick(node);
    return Object.freeze({
      ordinal: index + 1,
      sql: body,
      ...place,
      ...understand(node, body, complain),
      directives,
      quick,
    });
  });
}

/** For a statement that could not be read; there is a problem for it, and it is never run. */
const UNREAD: Classification = {
  tag: "UNKNOWN",
  transaction: "inside",
  transactionReason: null,
  catalogCheck: null,
  sessionEffect: null,
  commits: false,
  patient: false,
  locks: NO_LOCKS,
};

function understand(
  node: Node | null,
  body: string,
  complain: (fault: Omit<Fault, "offset">) => void,
): Classification & Pick<Statement, "hash"> {
  const unread = (): Classification & Pick<Statement, "hash"> => ({ ...UNREAD, hash: checksumOf(body) });
  if (node === null) return unread();
  try {
    const refused = refusal(node);
    if (refused !== null) complain(refused);
    return { ...classify(node), hash: statementHash(node) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    complain({ message: TOO_DEEP.message, hint: TOO_DEEP.hint });
    return unread();
  }
}
