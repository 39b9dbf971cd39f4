import { chmod, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { cacheCandidates, openPrivately } from "./cache-directory.ts";

describe("cacheCandidates", () => {
  it("follows each system's custom", () => {
    expect(first({}, "linux")).toBe(join(homedir(), ".cache", "godwit"));
    expect(first({ XDG_CACHE_HOME: "/c" }, "linux")).toBe("/c/godwit");
    expect(first({ XDG_CACHE_HOME: "relative" }, "linux")).toBe(join(homedir(), ".cache", "godwit"));
    expect(first({}, "darwin")).toBe(join(homedir(), "Library", "Caches", "godwit"));
    expect(first({ LOCALAPPDATA: "/l" }, "win32")).toBe(join("/l", "godwit"));
    expect(cacheCandidates({ XDG_CACHE_HOME: "/people/c" }, "linux", 0)[0]).toBe("/var/cache/godwit");
  });
});

describe("openPrivately", () => {
  it("makes a folder that every account may read and we alone may write to", async () => {
    const folder = join(await temporaryFolder(), "a", "b");
    expect(await openPrivately(folder)).toBeNull();
    expect((await stat(folder)).mode & 0o777).toBe(0o755);
  });

  it("trusts no folder that others may write to, or own, or that is none", async () => {
    const top = await temporaryFolder();
    const shared = join(top, "shared");
    await mkdir(shared);
    await chmod(shared, 0o777);
    expect(await openPrivately(shared)).toBe("others may write to it");
    expect(await openPrivately(shared, (process.getuid?.() ?? 0) + 1)).toMatch(/^owned by uid/);
    expect(await openPrivately("/dev/null")).not.toBeNull();
  });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-unit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function first(env: Record<string, string>, platform: string): string | undefined {
  return cacheCandidates(env, platform, 1000)[0];
}
