import { pathToFileURL } from "node:url";
import { GodwitError } from "../core/error.ts";
import { checksumOf } from "../sql/checksum.ts";
import { explainLoadError } from "./code-error.ts";
import type { MigrationFunction } from "./code-types.ts";
import { locate } from "./problems.ts";
import { readText } from "./read-text.ts";
import { closest } from "../core/similar.ts";

/** The functions of a code migration, ready to be called. */
export interface CodeMigration {
  readonly up: MigrationFunction;
  /** null where the module has no way down. */
  readonly down: MigrationFunction | null;
  /** False for `export const transaction = false`. */
  readonly transaction: boolean;
}

/** What a module of a code migration exports. */
export type CodeExports = Readonly<Record<string, unknown>>;

/** How long the top level of a module may take. */
const LOAD_LIMIT_MS = 30_000;

/**
 * Loads a code migration to be executed. Node runs the module itself and removes types from TypeScript. A process that
 * lives long gets an edited file afresh, but not the edited modules that it imports.
 * @param checksum of the text that was planned: a module that was loaded with it is used as it was then, though the file
 *   may have been edited since. Absent: that of the file as it is now.
 * @throws GodwitError MIGRATION_MALFORMED with the place: it cannot be loaded, exports no `up`, or exports what cannot be used.
 */
export async function loadCodeMigration(path: string, checksum?: string): Promise<CodeMigration> {
  const text = readText(path);
  const exports = await importModule(path, checksum ?? checksumOf(text));
  return readFunctions(path, text, exports);
}

/**
 * Imports a module.
 * @param checksum of its text: a new one loads it anew.
 * @throws GodwitError MIGRATION_MALFORMED saying why it cannot be loaded.
 */
export async function importModule(path: string, checksum: string): Promise<CodeExports> {
  const url = pathToFileURL(path);
  url.search = checksum.replace(/^.*:/, "");
  const { promise: late, reject } = Promise.withResolvers<never>();
  const limit = setTimeout(() => {
    reject(new Error(`its top level did not end within ${LOAD_LIMIT_MS / 1000} s`));
  }, LOAD_LIMIT_MS);
  try {
    const loaded: CodeExports = await Promise.race([import(/* @vite-ignore */ url.href), late]);
    return isRecord(loaded.default) && loaded.up === undefined ? loaded.default : loaded;
  } catch (error) {
    throw await explainLoadError(path, error);
  } finally {
    clearTimeout(limit);
  }
}

function isRecord(value: unknown): value is CodeExports {
  return typeof value === "object" && value !== null;
}

/**
 * Takes the functions from what a module exports.
 * @throws GodwitError MIGRATION_MALFORMED for the first of them that cannot be used.
 */
export function readFunctions(path: string, text: string, exports: CodeExports): CodeMigration {
  const { up, down = null, transaction = true } = exports;
  if (up === undefined) {
    const guess = Object.keys(exports).find((name) => closest(name, ["up"]) !== null);
    throw exportProblem(
      path,
      text,
      guess ?? "default",
      "it exports no function `up`",
      guess === undefined
        ? "write `export async function up(db) { … }`; a module of helpers belongs into a folder beside it, such as lib/"
        : `did you mean \`up\` by \`${guess}\`?`,
    );
  }
  if (!isFunction(up))
    throw exportProblem(
      path,
      text,
      "up",
      "its export `up` is not a function",
      "write `export async function up(db) { … }`",
    );
  if (down !== null && down !== false && !isFunction(down)) {
    throw exportProblem(
      path,
      text,
      "down",
      "its export `down` is not a function",
      "write `export async function down(db) { … }`, or delete it",
    );
  }
  if (typeof transaction !== "boolean") {
    throw exportProblem(
      path,
      text,
      "transaction",
      "its export `transaction` is neither true nor false",
      "write `export const transaction = false`, or delete it",
    );
  }
  return { up, down: isFunction(down) ? down : null, transaction };
}

function isFunction(value: unknown): value is MigrationFunction {
  return typeof value === "function";
}

/** A problem with one export of a module, placed where it is declared, as far as plain search finds it. */
export function exportProblem(
  path: string,
  text: string,
  name: string,
  message: string,
  hint: string,
): GodwitError {
  const declared = new RegExp(`^([ \\t]*)(?:export\\s|(?:module\\.)?exports\\.).*\\b${name}\\b`, "m").exec(
    text,
  );
  const line = declared === null ? 1 : text.slice(0, declared.index).split("\n").length;
  const column = (declared?.[1]?.length ?? 0) + 1;
  return new GodwitError("MIGRATION_MALFORMED", message, {
    hint,
    location: locate(path, text, line, column),
  });
}
