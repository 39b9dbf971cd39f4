import { describe, expect, it } from "vitest";
import { resolveImport, sourceFiles } from "./files.ts";

/** From the bottom to the top: a module imports only from levels below its own. */
const LEVELS: readonly (readonly string[])[] = [
  ["core"],
  ["postgres", "sql", "config"],
  ["history", "lock", "migrations"],
  ["plan", "lint", "schema"],
  ["execute"],
  ["rehearse", "online", "backup", "verify", "adopt"],
  ["fleet", "rollout"],
  ["api"],
  ["cli", "server", ""],
];

/** Imports within one level that are wanted, each `importer → imported`. */
const WITHIN_A_LEVEL = new Set(["postgres → sql", "history → migrations"]);

const levelOf = (module: string): number => LEVELS.findIndex((level) => level.includes(module));

const edges = sourceFiles.flatMap((file) =>
  file.imports.flatMap(({ specifier }) => {
    const target = resolveImport(file, specifier);
    const module = target?.includes("/") === true ? target.split("/")[0]! : "";
    return target === null || module === file.module ? [] : [{ file, target, module }];
  }),
);

describe("the layers", () => {
  it("have a place for every module", () => {
    const modules = new Set(sourceFiles.map((file) => file.module));
    expect([...modules].filter((module) => levelOf(module) === -1)).toEqual([]);
  });

  it("are imported one way only", () => {
    const upward = edges.filter(({ file, module }) => levelOf(module) > levelOf(file.module));
    const sideways = edges.filter(
      ({ file, module }) =>
        levelOf(module) === levelOf(file.module) && !WITHIN_A_LEVEL.has(`${file.module} → ${module}`),
    );
    expect([...upward, ...sideways].map(({ file, target }) => `${file.path} → ${target}`)).toEqual([]);
  });

  it("list no import within a level that nobody makes", () => {
    const made = new Set(edges.map(({ file, module }) => `${file.module} → ${module}`));
    expect([...WITHIN_A_LEVEL].filter((edge) => !made.has(edge))).toEqual([]);
  });

  it("leave core free of input and output", () => {
    const allowed = new Set(["node:crypto", "node:timers/promises"]);
    const foreign = sourceFiles
      .filter((file) => file.module === "core")
      .flatMap((file) =>
        file.imports
          .filter(({ specifier }) => !specifier.startsWith("./") && !allowed.has(specifier))
          .map(({ specifier }) => `${file.path} → ${specifier}`),
      );
    expect(foreign).toEqual([]);
  });

  it("have no modules that import each other in a circle", () => {
    const byPath = new Map(sourceFiles.map((file) => [file.path, file]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
        return;
      }
      if (done.has(path)) return;
      const file = byPath.get(path);
      for (const { specifier, kind } of file?.imports ?? []) {
        const target = kind === "static" ? resolveImport(file!, specifier) : null;
        if (target !== null) visit(target, [...trail, path]);
      }
      done.add(path);
    };
    for (const file of sourceFiles) visit(file.path, []);
    expect(circles).toEqual([]);
  });
});
