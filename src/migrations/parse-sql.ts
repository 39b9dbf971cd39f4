import type { Direction } from "../core/events.ts";
import type { GodwitError } from "../core/error.ts";
import { checksumOf } from "../sql/checksum.ts";
import { lineComments } from "../sql/lexer.ts";
import { splitParts } from "../sql/split.ts";
import type { Directive, SqlProblem, Statement } from "../sql/types.ts";
import { offsetToPosition } from "../sql/position.ts";
import {
  applyFileDirective,
  checkStatementDirective,
  FILE_DIRECTIVES,
  noSettings,
  readDirectives,
  type FileSettings,
} from "./directives.ts";
import { foreignSql } from "./foreign-text.ts";
import { endOfHeader } from "./header.ts";
import { bareDown, readMarkers, type SectionMarker } from "./markers.ts";
import { toProblems } from "./problems.ts";
import type { Section } from "./types.ts";

/** A text to parse: a file with sections, or one of the two files of a folder. */
export interface SqlSource {
  readonly stream: string;
  /** The path for messages. */
  readonly file: string;
  readonly text: string;
  readonly role: "file" | "repeatable" | "up" | "down";
}

export interface ParsedSql {
  readonly settings: FileSettings;
  /** Sections with statements; null where there are none. */
  readonly up: Section | null;
  readonly down: Section | null;
  readonly problems: readonly GodwitError[];
}

/** A part of the text that is one section. */
interface Stretch {
  /** What belongs to it: for `up` from the start of the text, for `down` from its marker on. */
  readonly whole: string;
  /** Where its SQL begins: with the line below its marker. */
  readonly text: string;
  readonly line: number;
  readonly marker: SectionMarker | null;
}

function stretch(source: string, start: number, end: number, marker: SectionMarker | null): Stretch {
  const whole = source.slice(start, end);
  if (marker === null) return { whole, text: whole, line: 1, marker };
  const lineBreak = /\r\n?|\n/y;
  lineBreak.lastIndex = marker.end;
  lineBreak.test(source);
  const from = Math.max(lineBreak.lastIndex, marker.end);
  return { whole, text: source.slice(from, end), line: marker.line + 1, marker };
}

/** Parses SQL with its section markers and directives; everything that is wrong comes back as problems with their places. */
export async function parseSql(source: SqlSource): Promise<ParsedSql> {
  const { file, text, role } = source;
  const comments = lineComments(text);
  const { markers, problems: markerProblems } = readMarkers(comments);
  const foreign = markers.length === 0 ? foreignSql(file, text, comments) : null;
  if (foreign !== null) return { settings: noSettings(), up: null, down: null, problems: [foreign] };

  const faults: SqlProblem[] = [...markerProblems, ...misplacedMarkers(role, markers)];
  const disguised =
    markers.length === 0 && markerProblems.length === 0 && role !== "down" ? bareDown(comments) : null;
  if (disguised !== null) faults.push(disguised);
  const { directives, problems } = readDirectives(comments);
  faults.push(...problems);

  // Sections are cut only where the markers make sense; else each complaint about them would bring a dozen others.
  const sound = markerProblems.length === 0;
  const upMarker = markers.find(({ direction }) => direction === "up") ?? null;
  const downMarker = sound ? (markers.find(({ direction }) => direction === "down") ?? null) : null;
  const firstMarker = sound ? upMarker : null;
  const [first, second = null] = await cut([
    stretch(text, 0, downMarker?.offset ?? text.length, firstMarker),
    ...(downMarker === null ? [] : [stretch(text, downMarker.offset, text.length, downMarker)]),
  ]);
  const statements = [...first.statements, ...(second?.statements ?? [])];
  faults.push(...first.problems, ...(second?.problems ?? []));
  if (firstMarker !== null) {
    const early = endOfHeader(text.slice(0, firstMarker.offset));
    if (early !== null) {
      const message = "SQL stands before `-- migrate:up` and belongs to no section";
      faults.push({ message, hint: "move it below the marker", ...offsetToPosition(text, early) });
    }
  }
  const settings = noSettings();
  faults.push(...placeDirectives(source, settings, directives, first.statements[0], statements));
  const up = section(role === "down" ? null : first, settings);
  const down = section(role === "down" ? first : second, settings);
  faults.push(...committing(up, "up", role), ...committing(down, "down", role));
  return {
    settings,
    up,
    down,
    problems: toProblems(
      file,
      text,
      faults.toSorted((a, b) => a.line - b.line || a.column - b.column),
    ),
  };
}

interface Cut extends Stretch {
  readonly statements: readonly Statement[];
  readonly problems: readonly SqlProblem[];
}

async function cut(parts: readonly [Stretch, ...Stretch[]]): Promise<[Cut, ...Cut[]]> {
  const results = await splitParts(parts.map(({ text, line }) => ({ text, position: { line, column: 1 } })));
  const cutOf = (part: Stretch, index: number): Cut => ({ ...part, ...results[index]! });
  const [first, ...others] = parts;
  return [cutOf(first, 0), ...others.map((part, index) => cutOf(part, index + 1))];
}

function section(part: Cut | null, settings: FileSettings): Section | null {
  if (part === null || part.statements.length === 0) return null;
  return {
    sql: part.whole,
    statements: part.statements.map(withOwnDirectives),
    checksum: checksumOf(part.whole),
    transaction: part.marker?.transaction ?? settings.transaction ?? true,
  };
}

/** What commits by itself cannot run in the transaction of its file; the server would say so only halfway through. */
function committing(part: Section | null, direction: Direction, role: SqlSource["role"]): SqlProblem[] {
  if (part === null || !part.transaction) return [];
  return part.statements
    .filter(({ commits }) => commits)
    .map(({ tag, line, column }) => ({
      message: `this ${tag} commits or rolls back, which it cannot inside the transaction of its file`,
      hint:
        direction === "down" && role === "file"
          ? "write `-- migrate:down transaction:false`"
          : "write `-- godwit:transaction off` at the top of the file",
      line,
      column,
    }));
}

/** Directives of the file may stand right above the first statement, but are none of its own. */
function withOwnDirectives(statement: Statement): Statement {
  const own = statement.directives.filter(({ name }) => !FILE_DIRECTIVES.includes(name));
  return own.length === statement.directives.length ? statement : { ...statement, directives: own };
}

function misplacedMarkers(role: SqlSource["role"], markers: readonly SectionMarker[]): SqlProblem[] {
  if (role === "file") return [];
  if (role !== "repeatable") {
    return markers.map(({ line, column }) => ({
      message: `${role}.sql of a folder has no section markers: the file is the section`,
      hint: "delete the line; for `transaction:false` write `-- godwit:transaction off`",
      line,
      column,
    }));
  }
  return markers
    .filter(({ direction }) => direction === "down")
    .map(({ line, column }) => ({
      message: "a repeatable migration has no down section",
      hint: "delete it: going back is applying an earlier text of the file",
      line,
      column,
    }));
}

/** Takes the file's directives into its settings, and checks that each of a statement stands above one. */
function placeDirectives(
  source: SqlSource,
  settings: FileSettings,
  directives: readonly Directive[],
  first: Statement | undefined,
  statements: readonly Statement[],
): SqlProblem[] {
  const attached = new Set(statements.flatMap((statement) => statement.directives.map(({ line }) => line)));
  const problems: SqlProblem[] = [];
  for (const directive of directives) {
    const problem = FILE_DIRECTIVES.includes(directive.name)
      ? (misplaced(source.role, directive, first) ?? applyFileDirective(settings, directive, source))
      : attached.has(directive.line)
        ? checkStatementDirective(directive)
        : notAbove(directive);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

function misplaced(
  role: SqlSource["role"],
  directive: Directive,
  first: Statement | undefined,
): SqlProblem | null {
  const { name, line, column } = directive;
  const fault = (message: string, hint: string): SqlProblem => ({ message, hint, line, column });
  if (first !== undefined && line > first.line) {
    return fault(
      `\`godwit:${name}\` speaks of the whole file but stands behind its first statement`,
      name === "transaction"
        ? "move it to the top of the file, or write `-- migrate:down transaction:false` for the way back"
        : "move it to the top of the file",
    );
  }
  if (role === "down" && name !== "transaction") {
    return fault(`\`godwit:${name}\` speaks of the migration and belongs into up.sql`, "move it there");
  }
  if (role === "repeatable" && (name === "requires" || name === "irreversible")) {
    return fault(
      `\`godwit:${name}\` has no meaning in a repeatable migration`,
      name === "requires"
        ? "delete it: repeatables run after all versioned migrations, by name"
        : "delete it: a repeatable migration has no way down",
    );
  }
  return null;
}

function notAbove({ name, line, column }: Directive): SqlProblem {
  return {
    message: `\`godwit:${name}\` does not stand above a statement`,
    hint: "put it on a line of its own, right above the statement it speaks of",
    line,
    column,
  };
}
