import { isGodwitError, type GodwitError } from "../core/error.ts";
import { checksumOf } from "../sql/checksum.ts";
import { exportProblem, importModule, readFunctions, type CodeExports, type CodeMigration } from "./code.ts";
import { describeId } from "./description.ts";
import { readTimeout } from "./directives.ts";
import { foreignCode } from "./foreign-text.ts";
import { readRequirement } from "./requirement.ts";
import { closest } from "../core/similar.ts";
import type { Migration, MigrationFile, Requirement, Section } from "./types.ts";

/** What a code migration may export. */
const EXPORTS = [
  "up",
  "down",
  "transaction",
  "requires",
  "description",
  "irreversible",
  "lockTimeout",
  "statementTimeout",
] as const;

/**
 * Parses a code migration: loads its module, whose top level therefore runs, and reads what it exports.
 * @returns the migration, or everything that is wrong with it.
 */
export async function parseCode(
  file: MigrationFile,
  text: string,
): Promise<{ readonly migration: Migration | null; readonly problems: readonly GodwitError[] }> {
  const foreign = foreignCode(file.path, text);
  if (foreign !== null) return { migration: null, problems: [foreign] };
  const checksum = checksumOf(text);
  const exports = await importModule(file.path, checksum);
  const problems: GodwitError[] = misspelt(file.path, text, exports);
  let functions: CodeMigration | null = null;
  try {
    functions = readFunctions(file.path, text, exports);
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    problems.push(error);
  }
  const reader = new ExportReader(file, text, exports, problems);
  const described = reader.text("description");
  const irreversible = reader.text("irreversible");
  const requires = reader.requires();
  const lockTimeoutMs = reader.timeout("lockTimeout");
  const statementTimeoutMs = reader.timeout("statementTimeout");
  if (irreversible !== null && functions !== null && functions.down !== null) {
    reader.fault(
      "irreversible",
      "it is called irreversible but has a way down",
      "delete `irreversible`, or `down`",
    );
  }
  if (functions === null || problems.length > 0) return { migration: null, problems };
  const section: Section = { sql: text, statements: [], checksum, transaction: functions.transaction };
  const migration: Migration = {
    ...file,
    checksum,
    description: described ?? describeId(file.id),
    requires,
    irreversible,
    lockTimeoutMs,
    statementTimeoutMs,
    tolerateExisting: null,
    up: section,
    down: functions.down === null ? null : section,
  };
  return { migration: Object.freeze(migration), problems };
}

function misspelt(path: string, text: string, exports: CodeExports): GodwitError[] {
  const known: readonly string[] = EXPORTS;
  return Object.keys(exports)
    .filter((name) => !known.includes(name) && exports["up"] !== undefined)
    .flatMap((name) => {
      const guess = closest(name, known);
      return guess === null
        ? []
        : [
            exportProblem(
              path,
              text,
              name,
              `its export \`${name}\` means nothing`,
              `did you mean \`${guess}\`?`,
            ),
          ];
    });
}

/** Reads the exports that say something about the migration, and collects what is wrong with them. */
class ExportReader {
  readonly #file: MigrationFile;
  readonly #text: string;
  readonly #exports: CodeExports;
  readonly #problems: GodwitError[];

  constructor(file: MigrationFile, text: string, exports: CodeExports, problems: GodwitError[]) {
    this.#file = file;
    this.#text = text;
    this.#exports = exports;
    this.#problems = problems;
  }

  fault(name: string, message: string, hint: string): null {
    this.#problems.push(exportProblem(this.#file.path, this.#text, name, message, hint));
    return null;
  }

  text(name: "description" | "irreversible"): string | null {
    const value = this.#exports[name] ?? null;
    if (value === null) return null;
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    return this.fault(
      name,
      `its export \`${name}\` is not a text`,
      `write \`export const ${name} = "…"\`, or delete it`,
    );
  }

  timeout(name: "lockTimeout" | "statementTimeout"): number | null {
    const value = this.#exports[name] ?? null;
    if (value === null) return null;
    try {
      if (typeof value === "string") return readTimeout(name, value);
    } catch (error) {
      if (!isGodwitError(error)) throw error;
      return this.fault(name, error.message, error.hint ?? "");
    }
    return this.fault(
      name,
      `its export \`${name}\` is not a duration`,
      `write \`export const ${name} = "2s"\``,
    );
  }

  requires(): Requirement[] | null {
    const value = this.#exports["requires"] ?? null;
    if (value === null) return null;
    const written: unknown[] = Array.isArray(value) ? value : [value];
    const location = exportProblem(this.#file.path, this.#text, "requires", "", "").location!;
    const requirements = written.flatMap((item) => {
      const requirement = typeof item === "string" ? readRequirement(item.trim(), this.#file.stream) : null;
      return requirement === null ? [] : [{ ...requirement, location }];
    });
    if (requirements.length === written.length && written.length > 0) return requirements;
    const message =
      written.length === 0
        ? "its export `requires` names nothing"
        : "its export `requires` is not a list of ids";
    const hint =
      'write `export const requires = ["<id>", "<stream>/<id>"]`, or delete it: then every earlier id is required';
    return this.fault("requires", message, hint);
  }
}
