import type { ForeignTool } from "./foreign-tools.ts";
import type { MigrationKind } from "./types.ts";

/** What the name of a file in a folder of migrations tells. */
export type FileName =
  | {
      readonly is: "migration";
      readonly id: string;
      readonly kind: MigrationKind;
      readonly format: "sql" | "code";
    }
  | { readonly is: "foreign"; readonly tool: ForeignTool }
  /** It may well be meant as a migration, so it is not passed over. */
  | { readonly is: "problem"; readonly message: string; readonly hint: string }
  /** Known to be no migration. */
  | { readonly is: "ignored" }
  /** Nothing of a migration about it: passed over with a warning. */
  | { readonly is: "unknown" };

const IGNORED: FileName = { is: "ignored" };
const UNKNOWN: FileName = { is: "unknown" };
const IGNORED_NAME =
  /^\.|^#.*#$|~$|\.(?:swp|swo|orig|md|map)$|^(?:readme|licen[cs]e)(?:\.(?:txt|rst|adoc))?$|^(?:package|tsconfig)\.json$|^(?:thumbs\.db|desktop\.ini)$/i;
const TYPES_OR_TESTS = /\.d\.[mc]?ts$|\.(?:test|spec)\.[mc]?[jt]sx?$/;
const CODE = /\.(?:ts|js|mjs)$/;
const OTHER_CODE = /\.(?:cjs|cts|mts|jsx|tsx|ts|js|mjs)$/i;

const FOREIGN_NAMES: readonly (readonly [RegExp, ForeignTool])[] = [
  [/\.(?:up|down)\.sql$/, "golang-migrate"],
  [/^\d+\.(?:do|undo)(?:\..*)?\.sql$/, "postgrator"],
  [/^[VUB]\d+(?:[._]\d+)*__.+\.(?:sql|java|kt)$|^R__.+\.(?:sql|java|kt)$/, "Flyway"],
  [/^\d{4}_\w+\.py$/, "Django"],
  [/^(?:[0-9a-f]{10,14}_\w+|env)\.py$|^script\.py\.mako$|^alembic\.ini$/, "Alembic"],
  [/^\d+_\w+\.rb$/, "Rails"],
  [/^\d.*_.*\.php$/, "Laravel"],
  [/^\d+_\w+\.exs$/, "Ecto"],
  [/^\d+_\w+\.go$/, "goose"],
  [/changelog.*\.(?:xml|ya?ml|json)$/i, "Liquibase"],
  [/^sqitch\.(?:plan|conf)$/, "Sqitch"],
  [/^migration_lock\.toml$/, "Prisma"],
];

/** Decides by its name alone what a file in a folder of migrations is. */
export function readFileName(name: string): FileName {
  if (IGNORED_NAME.test(name)) return IGNORED;
  if (name.endsWith(".sql")) return readSqlName(name);
  if (CODE.test(name)) {
    if (TYPES_OR_TESTS.test(name)) return IGNORED;
    const id = name.slice(0, name.lastIndexOf("."));
    if (!id.endsWith(".repeatable")) return { is: "migration", id, kind: "versioned", format: "code" };
    return {
      is: "problem",
      message: `${name}: a repeatable migration must be SQL`,
      hint: `write it as ${id}.sql, or drop ".repeatable" from its name`,
    };
  }
  for (const [pattern, tool] of FOREIGN_NAMES) if (pattern.test(name)) return { is: "foreign", tool };
  return readOtherName(name);
}

function readSqlName(name: string): FileName {
  for (const [pattern, tool] of FOREIGN_NAMES) if (pattern.test(name)) return { is: "foreign", tool };
  const stem = name.slice(0, -".sql".length);
  if (stem === "up" || stem === "down") {
    return {
      is: "problem",
      message: `${name} stands outside a migration's own folder`,
      hint: `move it to <id>/${name}, or write both directions into one <id>.sql`,
    };
  }
  return stem.endsWith(".repeatable")
    ? { is: "migration", id: stem.slice(0, -".repeatable".length), kind: "repeatable", format: "sql" }
    : { is: "migration", id: stem, kind: "versioned", format: "sql" };
}

function readOtherName(name: string): FileName {
  if (TYPES_OR_TESTS.test(name)) return IGNORED;
  if (/\.sql$/i.test(name)) {
    return {
      is: "problem",
      message: `${name}: the extension of a migration is .sql in lower case`,
      hint: `rename it to ${name.slice(0, -".sql".length)}.sql`,
    };
  }
  if (OTHER_CODE.test(name)) {
    return {
      is: "problem",
      message: `${name}: a code migration ends in .ts, .js or .mjs`,
      hint: "rename it; helpers belong into a folder beside the migrations, such as lib/",
    };
  }
  if (/\.sql\b/i.test(name) || /^\d{3,}[_-]/.test(name)) {
    return {
      is: "problem",
      message: `${name} looks like a migration but would not be run`,
      hint: "rename it to end in .sql, or move it out of the folder",
    };
  }
  return UNKNOWN;
}

/** Longest id in UTF-8 bytes: with any suffix it still is a file name on every file system. */
const MAX_ID_BYTES = 200;
const PLAIN_ID = /^[!-~]+$/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** An id as a file system sees it that folds case and the composition of characters: what is equal there may be one file. */
export function foldId(id: string): string {
  return PLAIN_ID.test(id) ? id.toLowerCase() : id.normalize("NFC").toLowerCase();
}

/** Why an id cannot be used, or null. */
export function faultOfId(id: string): string | null {
  if (id.length <= MAX_ID_BYTES && PLAIN_ID.test(id)) return null;
  if (id.trim() === "") return "its id is empty";
  if (id.includes("\u{FFFD}")) return "its name is not valid UTF-8";
  if (INVISIBLE.test(id)) return "its id contains control or invisible characters";
  if (id !== id.trim()) return "its id begins or ends with white space";
  const bytes = Buffer.byteLength(id);
  return bytes > MAX_ID_BYTES ? `its id has ${bytes} bytes, more than ${MAX_ID_BYTES}` : null;
}
