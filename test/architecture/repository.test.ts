import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../src/core/error-codes.ts";
import { findIn, readRepositoryFile, repositoryFiles } from "./files.ts";

const texts = repositoryFiles()
  .map((path) => ({ path, text: readRepositoryFile(path) }))
  .filter(({ text }) => !text.includes("\0"));

/** Where a pattern stands in any text of the repository. */
function mentions(pattern: RegExp): readonly string[] {
  return texts.flatMap(({ path, text }) => findIn(path, text, pattern));
}

describe("the texts of the repository", () => {
  it("leave nothing for later", () => {
    // Written backwards, so that this file does not find itself.
    const words = ["ODOT", "EMXIF", "KCAH"].map((word) => word.split("").toReversed().join(""));
    expect(mentions(new RegExp(`\\b(?:${words.join("|")})\\b`))).toEqual([]);
  });

  it("name no folder of a machine", () => {
    const folders = ["work/(?:main|shared)", "root/\\.", "home/[a-z]+/", "Users/[A-Za-z]+/"];
    expect(mentions(new RegExp(`(?<![\\w.])/(?:${folders.join("|")})`))).toEqual([]);
  });

  it("name no host that packages come from", () => {
    const hosts = ["registry", "npmjs", "pypi", "artifactory", "nexus", "verdaccio"];
    expect(mentions(new RegExp(`https?:[/]{2}[^/\\s"']*(?:${hosts.join("|")})`))).toEqual([]);
  });
});

describe("the error codes", () => {
  it("have a page each, and no page is left over", () => {
    const folder = join(import.meta.dirname, "../../docs/errors");
    const pages = existsSync(folder) ? repositoryFiles("docs/errors") : [];
    const documented = pages
      .map((path) => path.slice("docs/errors/".length))
      .filter((name) => name !== "README.md");
    expect(documented.toSorted()).toEqual(
      Object.keys(ERROR_CODES)
        .map((code) => `${code}.md`)
        .toSorted(),
    );
  });

  it("have a page that names them and their exit status", () => {
    const wrong = Object.entries(ERROR_CODES).filter(([code, { exit }]) => {
      const path = `docs/errors/${code}.md`;
      if (!existsSync(join(import.meta.dirname, "../..", path))) return true;
      const page = readRepositoryFile(path);
      return !page.startsWith(`# ${code}\n`) || !new RegExp(`\\b${exit}\\b`).test(page);
    });
    expect(wrong.map(([code]) => code)).toEqual([]);
  });
});
