import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished, expect, it } from "vitest";
import { runBundle } from "./cached-bundles.ts";

const MODULE = new URL("cached-bundles.ts", import.meta.url).href;
const BUNDLE = "(function (meta, given) { return { meta, twice: () => 2 * given.number }; })";

function folderWithBundle(): { folder: string; main: string } {
  const folder = mkdtempSync(join(tmpdir(), "godwit bundle "));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "part.js"), BUNDLE);
  return { folder, main: pathToFileURL(join(folder, "main.js")).href };
}

/** Runs the bundle as a command line does, and returns the names of what is kept then. */
function keptBy(
  main: string,
  caches: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): string[] {
  const program = `
    import module from "node:module";
    import { runBundle, saveCompiled } from ${JSON.stringify(MODULE)};
    module.enableCompileCache(${JSON.stringify(caches)});
    process.argv.splice(1, 0, "main.js");
    runBundle(${JSON.stringify(main)}, "part", "0123abcd", { number: 1 });
    saveCompiled();
  `;
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", program, "--", ...argv],
    { encoding: "utf8", env: { ...process.env, ...env } },
  );
  expect(status, stderr).toBe(0);
  const names = readdirSync(caches, { recursive: true, encoding: "utf8" });
  return names.map((name) => name.replace(/.*[\\/]/, "")).filter((name) => name.startsWith("godwit-"));
}

it("a bundle is given what it refers to, and where it lies", () => {
  const { folder, main } = folderWithBundle();
  const { meta, twice } = runBundle(main, "part", "0123abcd", { number: 21 });
  expect((twice as () => number)()).toBe(42);
  expect(meta).toEqual({ url: pathToFileURL(join(folder, "part.js")).href, dirname: folder });
});

it("what is compiled is kept by text and verb, in the folder of Node's own cache", () => {
  const { folder, main } = folderWithBundle();
  const caches = mkdtempSync(join(folder, "caches-"));
  expect(keptBy(main, caches, ["up", "--dry-run"])).toEqual(["godwit-part-0123abcd-up"]);
  expect(keptBy(main, caches, ["up"])).toEqual(["godwit-part-0123abcd-up"]);
  expect(keptBy(main, caches, ["--help"])).toContain("godwit-part-0123abcd-none");
  expect(keptBy(main, caches, ["../../evil"])).toHaveLength(2);
});

it("nothing is kept where Node keeps nothing", () => {
  const { folder, main } = folderWithBundle();
  const caches = mkdtempSync(join(folder, "caches-"));
  expect(keptBy(main, caches, ["up"], { NODE_DISABLE_COMPILE_CACHE: "1" })).toEqual([]);
});
