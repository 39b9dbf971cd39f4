import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { GodwitError, type Location } from "../core/error.ts";
import { locate } from "./problems.ts";
import { codeOf, messageOf } from "./system-error.ts";

/** How long Node may take to check a file's syntax. */
const CHECK_LIMIT_MS = 10_000;

/**
 * Explains why a module could not be loaded.
 * @param error what `import()` threw.
 * @returns MIGRATION_MALFORMED with the place in the file, or in the module it imports, as far as Node tells it.
 */
export async function explainLoadError(path: string, error: unknown): Promise<GodwitError> {
  const code = codeOf(error);
  const message = messageOf(error);
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const said = code === "" && error instanceof SyntaxError ? await checkSyntax(path) : null;
  const place = placeOfHeader(said ?? stack) ?? placeOfFrame(stack) ?? { file: path, line: 1, column: 1 };
  return new GodwitError("MIGRATION_MALFORMED", `the module cannot be loaded: ${message}`, {
    hint: hintFor(code, message),
    location: await toLocation(place),
    cause: error,
  });
}

/**
 * The place in a code migration that a stack leads to: its innermost frame in that file.
 * @returns null where no frame is of the file.
 */
export async function placeOfThrown(path: string, stack: string): Promise<Location | null> {
  const url = pathToFileURL(path);
  const names = [url.href, path, url.pathname, decodeURI(url.href)];
  for (const line of stack.split("\n")) {
    // Names may contain whatever a stack frame is written with, so they are looked for, not cut out.
    const name = names.find((candidate) => line.includes(candidate));
    if (name === undefined || !line.trimStart().startsWith("at ")) continue;
    const place = /^(?:\?[^:\s)]*)?:(\d+):(\d+)/.exec(line.slice(line.indexOf(name) + name.length));
    if (place !== null) return toLocation({ file: path, line: Number(place[1]), column: Number(place[2]) });
  }
  return null;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

function hintFor(code: string, message: string): string {
  switch (code) {
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return message.includes("enum")
        ? "Node removes types and translates nothing: write a constant object or a union of literals instead of the enum"
        : "Node removes types and translates nothing: write it in plain JavaScript with types";
    case "ERR_MODULE_NOT_FOUND":
      return "install the package, or correct the path: a relative import is written with its extension";
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return "Node does not run TypeScript inside node_modules: ship the migration as .js";
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return "this Node was told not to run TypeScript: drop --no-strip-types, or write the migration as .js";
    default:
      return "correct the file; the top level of a code migration runs whenever it is planned";
  }
}

/** Node keeps the place of a JavaScript syntax error to itself, but prints it when asked to check the file. */
async function checkSyntax(path: string): Promise<string | null> {
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--check", path],
      { timeout: CHECK_LIMIT_MS, env: {} },
      (error, _stdout, stderr) => {
        resolve(error === null ? null : stderr);
      },
    );
  });
}

/** The form `path:line`, source lines, and a line of carets. */
function placeOfHeader(stack: string): Place | null {
  const header = /^(.+?)(?:\?[^:\n]*)?:(\d+)\n/.exec(stack);
  if (header === null) return null;
  const caret = /^( *)\^+ *$/m.exec(stack);
  return { file: toPath(header[1]!), line: Number(header[2]), column: (caret?.[1]?.length ?? 0) + 1 };
}

/** The innermost frame that is a file of the user's. */
function placeOfFrame(stack: string): Place | null {
  const frame = /^\s+at .*?(file:\/\/[^\s?)]+)(?:\?[^:\s)]*)?:(\d+):(\d+)\)?$/m.exec(stack);
  if (frame === null || frame[1]!.includes("/node_modules/")) return null;
  return { file: toPath(frame[1]!), line: Number(frame[2]), column: Number(frame[3]) };
}

function toPath(file: string): string {
  return file.startsWith("file:") ? fileURLToPath(file) : file;
}

async function toLocation(place: Place): Promise<Location> {
  const text = await readFile(place.file, "utf8").catch(() => null);
  return text === null ? place : locate(place.file, text, place.line, place.column);
}
