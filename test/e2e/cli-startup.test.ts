import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { MAIN, Project, SHOP } from "./cli-harness.ts";

// Prints the address of every module that is loaded.
const SPY = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from "node:module";
import { writeSync } from "node:fs";
registerHooks({ load(url, context, next) { writeSync(2, "loaded " + url + "\\n"); return next(url, context); } });
`)}`;

/** The modules that a command line loads. */
function loadedBy(argv: readonly string[]): string[] {
  const project = new Project(SHOP);
  const { stderr, status } = spawnSync(process.execPath, ["--import", SPY, MAIN, ...argv], {
    cwd: project.folder,
    encoding: "utf8",
  });
  expect(status).toBe(0);
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map((match) => match[1]!);
}

describe("starting up", () => {
  it.each([[["--version"]], [["--help"]], [["up", "--help"]], [["completion", "bash"]]])(
    "%j does not load the engine",
    (argv) => {
      const loaded = loadedBy(argv);
      expect(loaded.length).toBeGreaterThan(1);
      expect(
        loaded.filter((url) => /\/src\/(?!cli\/|core\/)|libpg-query|\/pg\/|\/zod\/|\/yaml\//.test(url)),
      ).toEqual([]);
    },
  );

  it("completion of ids reads names alone", () => {
    const loaded = loadedBy(["__complete", "--", "up", "--to", ""]);
    expect(
      loaded.filter((url) => /\/src\/(?:api|execute|postgres|sql|plan)\/|libpg-query|\/pg\//.test(url)),
    ).toEqual([]);
  });

  it("the number of the version takes two modules, a verb only its own file", () => {
    expect(loadedBy(["--version"]).filter((url) => url.includes("/src/"))).toHaveLength(2);
    const verbs = loadedBy(["up", "--help"]).filter((url) =>
      /\/src\/cli\/commands\/(?!up|run-|plan-|steps)/.test(url),
    );
    expect(verbs).toEqual([]);
  });
});

it("says which Node.js it needs on an older one", () => {
  const older = `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.17.1" } });`,
  )}`;
  const { stderr, stdout, status } = spawnSync(process.execPath, ["--import", older, MAIN, "status"], {
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("needs Node.js 22.18 or newer; this is 22.17.1");
});
