import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { onTestFinished, describe, expect, it } from "vitest";

const BODY = "let sum = 0; for (const n of [1, 2, 3]) sum += n * n; return sum;";
const SCRIPT = `(function () { function used() { ${BODY} } function unused() { ${BODY} } return { used, unused }; })`;

function folderWith(text: string): { path: string; cache: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "godwit-script-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "script.js");
  writeFileSync(path, text);
  return { path, cache: join(folder, "cache"), folder };
}

const MODULE = new URL("cached-script.ts", import.meta.url).href;

/** Runs the script and its function in a process of its own, which has compiled nothing yet, then keeps what was compiled. */
function runOnce(path: string, cache: string | null): number {
  const program = `
    import { runCachedScript } from ${JSON.stringify(MODULE)};
    const { value, save } = runCachedScript(${JSON.stringify(path)}, ${JSON.stringify(cache)});
    process.stdout.write(String(value().used()));
    save();
  `;
  const argv = ["--input-type=module", "--eval", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return Number(stdout);
}

describe("a cached script", () => {
  it("keeps the code of the functions that ran, and only those", () => {
    const { path, cache } = folderWith(SCRIPT);
    const bare = new Script(SCRIPT, { filename: path });
    const before = bare.createCachedData().length;
    const functions = (bare.runInThisContext() as () => Record<string, () => number>)();
    functions["used"]!();
    functions["unused"]!();
    const everything = bare.createCachedData().length;
    expect(runOnce(path, cache)).toBe(14);
    const kept = statSync(cache).size;
    expect(kept).toBeGreaterThan(before);
    expect(kept).toBeLessThan(everything);
  });

  it("takes what is kept, and then writes nothing", () => {
    const { path, cache, folder } = folderWith(SCRIPT);
    runOnce(path, cache);
    const { ino } = statSync(cache);
    expect(runOnce(path, cache)).toBe(14);
    expect(statSync(cache).ino).toBe(ino);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(statSync(cache).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["empty", ""],
    ["short", "rubbish"],
    ["all zero", "\0".repeat(4096)],
  ])("runs beside a cache that is %s, and mends it", (_, spoiled) => {
    const { path, cache } = folderWith(SCRIPT);
    runOnce(path, cache);
    const good = statSync(cache).size;
    writeFileSync(cache, spoiled);
    expect(runOnce(path, cache)).toBe(14);
    expect(statSync(cache).size).toBe(good);
  });

  it("does not take what others could have written", () => {
    const { path, cache } = folderWith(SCRIPT);
    runOnce(path, cache);
    chmodSync(cache, 0o666);
    const { ino } = statSync(cache);
    expect(runOnce(path, cache)).toBe(14);
    expect(statSync(cache).ino).not.toBe(ino);
  });

  it("runs where nothing can be kept", () => {
    const { path, folder } = folderWith(SCRIPT);
    expect(runOnce(path, null)).toBe(14);
    expect(runOnce(path, join(folder, "nowhere", "cache"))).toBe(14);
    expect(readdirSync(folder)).toEqual(["script.js"]);
  });
});
