import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { importsOf } from "./imports.ts";
import type { Import } from "./imports.ts";
import { scan } from "./scan.ts";

const ROOT = join(import.meta.dirname, "../..");
const NOT_OURS = new Set([".git", "node_modules", "dist", "coverage", ".godwit", ".peers", ".work"]);

export interface SourceFile {
  /** Relative to `src`, with `/`. */
  readonly path: string;
  /** The first folder; empty for a file that stands in `src` itself. */
  readonly module: string;
  readonly bytes: number;
  readonly text: string;
  /** Without comments and the contents of texts. */
  readonly code: string;
  readonly withoutComments: string;
  readonly imports: readonly Import[];
}

/** Paths of all files of the repository below a folder, relative to the root, with `/`; what is generated is left out. */
export function repositoryFiles(folder = "."): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? repositoryFiles(path) : entry.isFile() ? [path] : [];
  });
}

/** The text of a file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The modules of the product: every TypeScript file below `src` but the tests. */
export const sourceFiles: readonly SourceFile[] = repositoryFiles("src")
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
  .map((file) => {
    const text = readRepositoryFile(file);
    const path = file.slice("src/".length);
    const [first = ""] = path.split("/");
    return {
      path,
      module: path.includes("/") ? first : "",
      bytes: Buffer.byteLength(text),
      text,
      ...scan(text),
      imports: importsOf(text),
    };
  });

/** Resolves a relative import to a path below `src`; null for packages and what lies elsewhere. */
export function resolveImport(from: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const path = join(from.path, "..", specifier).split(sep).join("/");
  return path.startsWith("..") ? null : path;
}

/** `path:line  code` of each place where a pattern stands in a text. */
export function findIn(path: string, text: string, pattern: RegExp): readonly string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1}  ${line.trim().slice(0, 100)}`] : [],
    );
}
