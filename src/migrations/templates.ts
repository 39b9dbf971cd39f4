import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { GodwitError } from "../core/error.ts";
import { compareIds } from "./order.ts";
import { slugOf } from "./slug.ts";
import { codeOf, messageOf } from "./system-error.ts";
import {
  codeTemplate,
  downTemplate,
  repeatableTemplate,
  sqlTemplate,
  upTemplate,
  type TemplateOptions,
} from "./template-text.ts";

export interface NewMigrationOptions {
  /** The folder of migrations; made if it is missing. */
  readonly directory: string;
  /** What the migration does, in any words. */
  readonly name: string;
  readonly format: "sql" | "ts";
  readonly now: Date;
  /** Ids as a directive names them: `<id>` or `<stream>/<id>`. */
  readonly requires?: readonly string[];
  readonly repeatable?: boolean;
  /** A folder with up.sql and down.sql instead of one file. */
  readonly folder?: boolean;
}

export interface NewMigration {
  readonly id: string;
  /** Absolute path of the file to fill in; of up.sql for a folder. */
  readonly path: string;
  /** An existing id that sorts behind the new one though it was there before, such as `v7_orders`; else null. */
  readonly sortsBefore: string | null;
}

/**
 * Writes the file of a new migration. Its id is `YYYYMMDDHHMMSS_slug` in UTC, later than every timestamp that is in the folder,
 * so that it comes last even where clocks differ; a repeatable's id is the slug alone. Never writes over anything:
 * two that start at once get two files.
 * @throws GodwitError USAGE for a name without letters or options that do not go together; MIGRATION_EXISTS for a repeatable
 *   that is there; MIGRATIONS_NOT_FOUND when the folder cannot be written.
 */
export function newMigration(options: NewMigrationOptions): NewMigration {
  const name = options.name.trim().replace(/\.(?:sql|ts)$/, "");
  const slug = slugOf(name) || (/[\p{L}\p{N}]/u.test(name) ? "migration" : "");
  if (slug === "") {
    throw new GodwitError("USAGE", `"${options.name}" has no letters to name a migration by`, {
      hint: "say what it does, for example: godwit new add_user_email",
    });
  }
  const repeatable = options.repeatable ?? false;
  checkCombination(options, repeatable);
  const directory = resolve(options.directory);
  const text: TemplateOptions = { description: oneLine(name), requires: options.requires ?? [] };
  try {
    mkdirSync(directory, { recursive: true });
    if (repeatable) return writeRepeatable(directory, slug, text);
    return writeVersioned(directory, slug, options, text);
  } catch (error) {
    if (error instanceof GodwitError) throw error;
    throw new GodwitError("MIGRATIONS_NOT_FOUND", `cannot write to ${directory}: ${messageOf(error)}`, {
      hint: "make the folder writable, or set `migrations` in the configuration to another",
      cause: error,
    });
  }
}

function checkCombination(options: NewMigrationOptions, repeatable: boolean): void {
  const requires = options.requires ?? [];
  const fault =
    repeatable && options.format === "ts"
      ? "a repeatable migration must be SQL"
      : repeatable && options.folder === true
        ? "a repeatable migration is one file, not a folder"
        : options.folder === true && options.format === "ts"
          ? "a folder holds up.sql and down.sql, not code"
          : repeatable && requires.length > 0
            ? "a repeatable migration requires nothing by name: it runs after all versioned ones"
            : requires.some((id) => /[\s,"]/.test(id) || id === "")
              ? "a required id has no white space, commas or quotes"
              : null;
  if (fault !== null)
    throw new GodwitError("USAGE", fault, { hint: "godwit new --help shows what goes together" });
}

function writeRepeatable(directory: string, slug: string, text: TemplateOptions): NewMigration {
  const path = join(directory, `${slug}.repeatable.sql`);
  if (!writeExclusively(path, repeatableTemplate(text))) {
    throw new GodwitError("MIGRATION_EXISTS", `${path} exists already`, {
      hint: "edit it: a repeatable migration runs again when it changes",
    });
  }
  return { id: slug, path, sortsBefore: null };
}

function writeVersioned(
  directory: string,
  slug: string,
  options: NewMigrationOptions,
  text: TemplateOptions,
): NewMigration {
  const names = readdirSync(directory).filter((name) => !name.startsWith("."));
  let time = laterThan(options.now, names);
  for (;;) {
    const id = `${stamp(time)}_${slug}`;
    const path = write(directory, id, options, text);
    if (path !== null) return { id, path, sortsBefore: lastBehind(id, names) };
    time = new Date(time.getTime() + 1000);
  }
}

/** Writes the file or folder; null when it exists. */
function write(
  directory: string,
  id: string,
  options: NewMigrationOptions,
  text: TemplateOptions,
): string | null {
  if (options.folder !== true) {
    const path = join(directory, `${id}.${options.format}`);
    return writeExclusively(path, options.format === "ts" ? codeTemplate(text) : sqlTemplate(text))
      ? path
      : null;
  }
  const folder = join(directory, id);
  if (!exclusively(() => mkdirSync(folder))) return null;
  const path = join(folder, "up.sql");
  writeFileSync(path, upTemplate(text), { flag: "wx" });
  writeFileSync(join(folder, "down.sql"), downTemplate(), { flag: "wx" });
  return path;
}

function writeExclusively(path: string, text: string): boolean {
  return exclusively(() => writeFileSync(path, text, { flag: "wx" }));
}

/** Whether something was made; false when it was there already. */
function exclusively(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Now, or a second after the latest timestamp that a name in the folder begins with. */
function laterThan(now: Date, names: readonly string[]): Date {
  let latest = Math.floor(now.getTime() / 1000) * 1000;
  for (const name of names) {
    const time = timeOf(name);
    if (time !== null && time >= latest) latest = time + 1000;
  }
  return new Date(latest);
}

const STAMP = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?!\d)/;

function timeOf(name: string): number | null {
  const match = STAMP.exec(name);
  if (match === null) return null;
  const [digits, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // A number that is no date (a 13th month, a 30th of February) tells nothing about time.
  return Number.isFinite(time) && stamp(new Date(time)) === digits && year !== "9999" ? time : null;
}

function stamp(time: Date): string {
  return time.toISOString().replaceAll(/\D/g, "").slice(0, 14);
}

function lastBehind(id: string, names: readonly string[]): string | null {
  const ids = names.filter((name) => /\.(?:sql|ts|js|mjs)$/.test(name) && !name.endsWith(".repeatable.sql"));
  const last = ids
    .map((name) => name.replace(/\.\w+$/, ""))
    .sort(compareIds)
    .at(-1);
  return last !== undefined && compareIds(last, id) > 0 ? last : null;
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .replaceAll("_", " ")
    .trim();
}
