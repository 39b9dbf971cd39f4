import { expect, it } from "vitest";
import { resolveImport, sourceFiles } from "./files.ts";

/** Libraries that take longer to load than a run with nothing to do may take. */
const HEAVY = new Set(["libpg-query", "yaml", "zod"]);

/** Modules, and folders of them, that may load them at once, because they are themselves only imported dynamically. */
const LAZY = ["cli/json-schemas/", "config/read-text.ts", "config/schema.ts", "config/validate.ts"];

const isLazy = (path: string): boolean =>
  LAZY.some((lazy) => (lazy.endsWith("/") ? path.startsWith(lazy) : path === lazy));

const staticImports = sourceFiles.flatMap((file) =>
  file.imports.filter(({ kind }) => kind === "static").map(({ specifier }) => ({ file, specifier })),
);

it("heavy libraries are loaded only by modules that are loaded when needed", () => {
  const eager = staticImports
    .filter(({ file, specifier }) => HEAVY.has(specifier) && !isLazy(file.path))
    .map(({ file, specifier }) => `${file.path} → ${specifier}`);
  expect(eager).toEqual([]);
});

it("those modules are imported dynamically, or by each other", () => {
  const eager = staticImports
    .filter(({ file, specifier }) => isLazy(resolveImport(file, specifier) ?? "") && !isLazy(file.path))
    .map(({ file, specifier }) => `${file.path} → ${specifier}`);
  expect(eager).toEqual([]);
});

it("names no lazy module that is gone", () => {
  const gone = LAZY.filter((lazy) => !sourceFiles.some(({ path }) => path.startsWith(lazy)));
  expect(gone).toEqual([]);
});
