import { parseDuration } from "../core/duration.ts";
import { GodwitError } from "../core/error.ts";
import type { LineComment } from "../sql/lexer.ts";
import type { Directive, SqlProblem } from "../sql/types.ts";
import { readRequirements } from "./requirement.ts";
import { didYouMean } from "../core/similar.ts";
import type { Requirement } from "./types.ts";

/** Directives that speak of the whole file; they stand before its first statement. */
export const FILE_DIRECTIVES: readonly string[] = [
  "requires",
  "transaction",
  "irreversible",
  "lock_timeout",
  "statement_timeout",
  "description",
  "tolerate",
];
/** Directives that speak of the statement right below them. */
export const STATEMENT_DIRECTIVES: readonly string[] = ["allow", "backfill", "check"];

/** What the directives of a file say. */
export interface FileSettings {
  requires: Requirement[] | null;
  /** False for `transaction off`; null where nothing is said. */
  transaction: false | null;
  irreversible: string | null;
  lockTimeoutMs: number | null;
  statementTimeoutMs: number | null;
  description: string | null;
  /** True for `tolerate existing`; null where nothing is said. */
  tolerateExisting: true | null;
}

export function noSettings(): FileSettings {
  return {
    requires: null,
    transaction: null,
    irreversible: null,
    lockTimeoutMs: null,
    statementTimeoutMs: null,
    description: null,
    tolerateExisting: null,
  };
}

const DIRECTIVE = /^--\s*godwit:([a-z_]+)(?:\s+(.*))?$/;
const NEARLY = /^-+\s*godwit\s*:\s*([\w-]*)\s*(.*)$/i;

/**
 * Finds the directives among a file's comments.
 * @returns those with a known name, and what is wrong with the others: unknown names, wrong spelling, a line shared with SQL.
 */
export function readDirectives(comments: readonly LineComment[]): {
  readonly directives: readonly Directive[];
  readonly problems: readonly SqlProblem[];
} {
  const directives: Directive[] = [];
  const problems: SqlProblem[] = [];
  for (const comment of comments) {
    const text = comment.text.trimEnd();
    const nearly = NEARLY.exec(text);
    if (nearly === null) continue;
    const { line, column } = comment;
    const match = DIRECTIVE.exec(text);
    const name = match?.[1] ?? "";
    if (match === null || !isKnown(name)) problems.push(unknown(comment, nearly[1]!, nearly[2]!));
    else if (!comment.ownLine) {
      const hint = "put it on a line of its own, right above the statement";
      problems.push({ message: `\`-- godwit:${name}\` shares its line with SQL`, hint, line, column });
    } else directives.push({ name, argument: (match[2] ?? "").trim(), line, column });
  }
  return { directives, problems };
}

function isKnown(name: string): boolean {
  return FILE_DIRECTIVES.includes(name) || STATEMENT_DIRECTIVES.includes(name);
}

function unknown({ line, column }: LineComment, written: string, argument: string): SqlProblem {
  const name = written.toLowerCase().replaceAll("-", "_");
  const known = [...FILE_DIRECTIVES, ...STATEMENT_DIRECTIVES];
  const message =
    written === ""
      ? "a directive without a name"
      : isKnown(name)
        ? `\`godwit:${written}\` is not written as a directive`
        : `unknown directive \`godwit:${written}\``;
  const hint = isKnown(name)
    ? `did you mean \`-- godwit:${`${name} ${argument}`.trim()}\`?`
    : didYouMean(name, known, `directives: ${known.join(", ")}`);
  return { message, hint, line, column };
}

/** Where a file's settings are read from, for requirements and their places. */
export interface SettingsPlace {
  readonly stream: string;
  readonly file: string;
  readonly text: string;
}

/**
 * Takes a directive of the file into its settings.
 * @returns what is wrong with it, or null.
 */
export function applyFileDirective(
  settings: FileSettings,
  directive: Directive,
  place: SettingsPlace,
): SqlProblem | null {
  const { name, argument } = directive;
  const fault = (message: string, hint: string): SqlProblem => ({
    message,
    hint,
    line: directive.line,
    column: directive.column,
  });
  if (name === "requires") {
    const read = readRequirements(directive, place);
    if (read.problem !== null) return read.problem;
    settings.requires = [...(settings.requires ?? []), ...read.requirements];
    return null;
  }
  if (isGiven(settings, name)) return fault(`\`godwit:${name}\` is given twice`, "delete one of them");
  switch (name) {
    case "transaction":
      if (argument !== "off")
        return fault(
          `\`godwit:transaction ${argument}\`: only \`off\` can be said`,
          argument === "on" ? "delete it: a transaction is the default" : "write `-- godwit:transaction off`",
        );
      settings.transaction = false;
      return null;
    case "irreversible":
      if (argument === "")
        return fault(
          "`godwit:irreversible` does not say why",
          "write `-- godwit:irreversible <why>`, for the one who wants to go back",
        );
      settings.irreversible = argument;
      return null;
    case "description":
      if (argument === "")
        return fault("`godwit:description` is empty", "say what the migration does, or delete the line");
      settings.description = argument;
      return null;
    case "tolerate":
      if (argument !== "existing")
        return fault(
          `\`${`godwit:tolerate ${argument}`.trim()}\`: only \`existing\` can be tolerated`,
          "write `-- godwit:tolerate existing`",
        );
      settings.tolerateExisting = true;
      return null;
    case "lock_timeout":
    case "statement_timeout":
      try {
        settings[name === "lock_timeout" ? "lockTimeoutMs" : "statementTimeoutMs"] = readTimeout(
          name,
          argument,
        );
        return null;
      } catch (error) {
        if (!(error instanceof GodwitError)) throw error;
        return fault(error.message, error.hint ?? "");
      }
    default:
      return fault(
        `\`godwit:${name}\` speaks of a statement, not of the file`,
        "put it right above the statement",
      );
  }
}

/** The largest value of PostgreSQL's timeout settings, which are 32-bit milliseconds. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * Reads the value of `lock_timeout` or `statement_timeout`.
 * @throws GodwitError CONFIG_INVALID for what is no duration or more than PostgreSQL takes (24 days).
 */
export function readTimeout(name: string, value: string): number {
  const ms = parseDuration(value, name);
  if (ms <= MAX_TIMEOUT_MS) return ms;
  throw new GodwitError("CONFIG_INVALID", `${name}: "${value}" is longer than PostgreSQL takes`, {
    hint: "write at most 24d, or 0 for no limit",
  });
}

function isGiven(settings: FileSettings, name: string): boolean {
  switch (name) {
    case "transaction":
      return settings.transaction !== null;
    case "irreversible":
      return settings.irreversible !== null;
    case "description":
      return settings.description !== null;
    case "tolerate":
      return settings.tolerateExisting !== null;
    case "lock_timeout":
      return settings.lockTimeoutMs !== null;
    case "statement_timeout":
      return settings.statementTimeoutMs !== null;
    default:
      return false;
  }
}

/** What is wrong with a statement's directive, or null. What its argument means is known to the module it speaks to. */
export function checkStatementDirective(directive: Directive): SqlProblem | null {
  const { name, argument, line, column } = directive;
  const fault = (message: string, hint: string): SqlProblem => ({ message, hint, line, column });
  if (name !== "allow") {
    return argument === ""
      ? fault(`\`godwit:${name}\` says nothing`, `write what to ${name} behind it`)
      : null;
  }
  const [hazard = "", ...why] = argument.split(/\s+/);
  if (!/^[a-z]+(?:-[a-z]+)*$/.test(hazard)) {
    return fault(
      "`godwit:allow` names no hazard",
      "write `-- godwit:allow <hazard> <why>`, for example `table-rewrite`",
    );
  }
  return why.length === 0
    ? fault(`\`godwit:allow ${hazard}\` does not say why`, `write \`-- godwit:allow ${hazard} <why>\``)
    : null;
}
