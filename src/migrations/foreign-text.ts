import { GodwitError, type Location } from "../core/error.ts";
import type { LineComment } from "../sql/lexer.ts";
import { offsetToPosition } from "../sql/position.ts";
import { foreignRemedy, type ForeignTool } from "./foreign-tools.ts";
import { locate } from "./problems.ts";

/** Comments by which SQL files of other tools are known. */
const SQL_SIGNS: readonly (readonly [RegExp, ForeignTool])[] = [
  [/^--\s*\+goose\s+\w/i, "goose"],
  [/^--\s*\+migrate\s+\w/i, "sql-migrate"],
  [/^--\s*\+micrate\s+\w/i, "micrate"],
  [/^--[\s-]*(?:up|down)\s+migration\b/i, "node-pg-migrate"],
  [/^--!\s*(?:Previous|Hash|Message|Included?|AllowInvalidHash|no-transaction)\b/i, "graphile-migrate"],
  [/^--\s*(?:liquibase formatted sql\b|changeset\s+\S+:\S)/i, "Liquibase"],
  [/^--\s*\/\/\s*@UNDO\b/i, "MyBatis"],
  [/^---- create above \/ drop below ----/, "tern"],
  [/^--> ?statement-breakpoint/, "Drizzle"],
  [/^-- (?:Deploy|Revert|Verify) \S+:\S+ (?:to|from|on) pg$/, "Sqitch"],
];

/** What code migrations of other tools cannot do without. */
const CODE_SIGNS: readonly (readonly [RegExp, ForeignTool])[] = [
  [/\b(?:implements\s+MigrationInterface|from\s+["']typeorm["']|require\(["']typeorm["']\))/, "TypeORM"],
  [/\bfrom\s+["']@mikro-orm\/|require\(["']@mikro-orm\//, "MikroORM"],
  [/\bfrom\s+["']kysely["']|require\(["']kysely["']\)/, "Kysely"],
  [/\bfrom\s+["'](?:knex|objection)["']|\bup\b[^\n]{0,40}\(\s*knex\b/, "knex"],
  [
    /\bup\b[^\n]{0,60}\(\s*\{?\s*(?:context\s*:\s*)?queryInterface\b|from\s+["'](?:sequelize|umzug)["']/,
    "Sequelize",
  ],
  [/\bfrom\s+["']node-pg-migrate["']|\bup\b[^\n]{0,40}\(\s*pgm\b/, "node-pg-migrate"],
  [/\bup\b[^\n]{0,40}\(\s*db\s*,\s*callback\b|require\(["']db-migrate/, "db-migrate"],
];

/**
 * Recognises SQL without section markers that is written for another tool, by its comments.
 * @returns MIGRATION_FOREIGN_FORMAT with the line that gives it away and the remedy; null for a file of ours.
 */
export function foreignSql(file: string, text: string, comments: readonly LineComment[]): GodwitError | null {
  for (const comment of comments) {
    const sign = SQL_SIGNS.find(([pattern]) => pattern.test(comment.text));
    if (sign !== undefined) return foreign(sign[1], locate(file, text, comment.line, comment.column));
  }
  return null;
}

/** Recognises a code migration that is written for another tool; it would fail on being loaded, or when run. */
export function foreignCode(file: string, text: string): GodwitError | null {
  for (const [pattern, tool] of CODE_SIGNS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const { line, column } = offsetToPosition(text, match.index);
    return foreign(tool, locate(file, text, line, column));
  }
  return null;
}

function foreign(tool: ForeignTool, location: Location): GodwitError {
  const hint = foreignRemedy(tool);
  return new GodwitError("MIGRATION_FOREIGN_FORMAT", `the file is written for ${tool}`, { hint, location });
}
