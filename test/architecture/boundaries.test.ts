import { describe, expect, it } from "vitest";
import { findIn, sourceFiles } from "./files.ts";

/** Where a pattern stands in code outside the files that may have it. */
function outside(allowed: readonly string[], pattern: RegExp): readonly string[] {
  return sourceFiles
    .filter(
      (file) =>
        !allowed.some((path) => (path.endsWith("/") ? file.path.startsWith(path) : file.path === path)),
    )
    .flatMap((file) => findIn(file.path, file.code, pattern));
}

describe("what only some files do", () => {
  it("only the command line ends the process", () => {
    expect(outside(["cli/main.ts"], /\bprocess\s*\.\s*(?:exit|abort|reallyExit)\b(?!Code)/)).toEqual([]);
  });

  it("only the command line prints", () => {
    const printing = /\bconsole\s*\.|\bprocess\s*\.\s*(?:stdout|stderr)\b/;
    expect(outside(["cli/main.ts", "cli/process.ts", "cli/reporters/"], printing)).toEqual([]);
  });

  it("only the command line reads the environment, and the library where it is not given one", () => {
    expect(outside(["cli/", "api/create-godwit.ts"], /\bprocess\s*\.\s*env\b/)).toEqual([]);
  });

  it("nobody hands a command line to a shell", () => {
    const shell = /(?<![.\w])exec(?:Sync)?\(|\bshell\s*:\s*(?:true|["'`])/;
    expect(outside([], shell)).toEqual([]);
  });
});

it("SQL gets names and values only through sql/quote.ts", () => {
  const doublesQuotes = /\.replace(?:All)?\(.*,\s*(?:'""'|"''"|`""`|`''`|'"\$&"|"'\$&')/;
  const wrapsName = /\b(?:FROM|INTO|UPDATE|TABLE|SCHEMA|JOIN|SET|ROLE|DATABASE|ON|INDEX)\s+\\?"\$\{/;
  const wrapsValue = /(?:=|\bTO\b|\bIN\s*\(|\bLIKE\b)\s*'\$\{/;
  const found = sourceFiles
    .filter((file) => file.path !== "sql/quote.ts")
    .flatMap((file) =>
      [doublesQuotes, wrapsName, wrapsValue].flatMap((pattern) =>
        findIn(file.path, file.withoutComments, pattern),
      ),
    );
  expect(found).toEqual([]);
});

describe("modules", () => {
  it("export by name", () => {
    const defaults = sourceFiles.flatMap((file) =>
      findIn(file.path, file.code, /^\s*export\s+default\b|\bas\s+default\b/),
    );
    expect(defaults).toEqual([]);
  });

  it("are small", async ({ annotate }) => {
    const sizes = sourceFiles.map((file) => file.bytes).toSorted((a, b) => a - b);
    const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
    await annotate(
      `${sizes.length} modules, median ${(median / 1024).toFixed(1)} KB, largest ${(sizes.at(-1)! / 1024).toFixed(1)} KB`,
    );
    expect(sourceFiles.filter((file) => file.bytes > 25 * 1024).map((file) => file.path)).toEqual([]);
    expect(median).toBeLessThanOrEqual(4 * 1024);
    expect(sizes.filter((size) => size > 10 * 1024).length / sizes.length).toBeLessThan(0.05);
  });

  it("have names of lower-case words", () => {
    const odd = sourceFiles.filter(
      (file) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(file.path),
    );
    expect(odd.map((file) => file.path)).toEqual([]);
  });
});
