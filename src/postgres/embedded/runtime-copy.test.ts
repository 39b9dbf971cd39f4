import { chmod, mkdir, mkdtemp, readdir, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeRuntimeCopy, openRuntimeCopy } from "./runtime-copy.ts";

const LINK = { source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" };

describe("makeRuntimeCopy", () => {
  it("copies programs that every account can run, with the links that npm left out", async () => {
    const { native, target } = await nativeFolder([LINK]);
    const binaries = await makeRuntimeCopy(native, "18.4.0", target);
    expect(binaries).toMatchObject({ directory: target, version: "18.4.0" });
    expect(await readlink(join(target, "lib", "libpq.so.5"))).toBe("libpq.so.5.18");
    expect((await stat(binaries.initdb)).mode & 0o777).toBe(0o755);
    expect((await stat(join(target, "share", "postgres.bki"))).mode & 0o777).toBe(0o644);
    for (const folder of [target, join(target, "lib")]) expect((await stat(folder)).mode & 0o777).toBe(0o755);
    expect(await openRuntimeCopy(target)).toEqual(binaries);
  });

  it("leaves one whole copy when many make it at once", async () => {
    const { native, target } = await nativeFolder([LINK]);
    const copies = await Promise.all(
      Array.from({ length: 8 }, () => makeRuntimeCopy(native, "18.4.0", target)),
    );
    expect(new Set(copies.map(({ directory }) => directory))).toEqual(new Set([target]));
    expect(await readdir(dirname(target))).toEqual(["postgres-18"]);
  });

  it("replaces a copy that lost parts", async () => {
    const { native, target } = await nativeFolder([]);
    const binaries = await makeRuntimeCopy(native, "18.4.0", target);
    await truncate(binaries.postgres, 1);
    expect(await openRuntimeCopy(target)).toBeNull();
    await makeRuntimeCopy(native, "18.4.0", target);
    expect(await openRuntimeCopy(target)).toEqual(binaries);
    await rm(binaries.initdb);
    expect(await openRuntimeCopy(target)).toBeNull();
    expect(await readdir(dirname(target))).toEqual(["postgres-18"]);
  });

  it.each([
    { source: "../../etc/passwd", target: "native/lib/x" },
    { source: "native/lib/libpq.so.5.18", target: "native/../../x" },
    { source: "native/lib/libpq.so.5.18", target: "/etc/x" },
  ])("refuses a package that links outside itself: $source, $target", async (link) => {
    const { native, target } = await nativeFolder([link]);
    await expect(makeRuntimeCopy(native, "18.4.0", target)).rejects.toMatchObject({
      code: "EMBEDDED_UNAVAILABLE",
    });
    expect(await readdir(dirname(target))).toEqual([]);
  });

  it("says what it could not copy", async () => {
    const { native, target } = await nativeFolder([]);
    await rm(join(native, "share"), { recursive: true });
    await expect(makeRuntimeCopy(native, "18.4.0", target)).rejects.toMatchObject({
      code: "EMBEDDED_UNAVAILABLE",
      detail: expect.stringContaining("share"),
    });
    expect(await openRuntimeCopy(target)).toBeNull();
  });
});

async function nativeFolder(links: readonly object[]): Promise<{ native: string; target: string }> {
  const top = await mkdtemp(join(tmpdir(), "godwit-unit-"));
  onTestFinished(() => rm(top, { recursive: true }));
  const native = join(top, "native");
  const suffix = process.platform === "win32" ? ".exe" : "";
  for (const folder of ["bin", "lib", "share"]) await mkdir(join(native, folder), { recursive: true });
  for (const program of ["postgres", "initdb", "pg_ctl"]) {
    await writeFile(join(native, "bin", program + suffix), `${program} as a program`);
    await chmod(join(native, "bin", program + suffix), 0o600);
  }
  await writeFile(join(native, "lib", "libpq.so.5.18"), "library");
  await writeFile(join(native, "share", "postgres.bki"), "catalog");
  await writeFile(join(native, "pg-symlinks.json"), JSON.stringify(links));
  await mkdir(join(top, "cache"));
  return { native, target: join(top, "cache", "postgres-18") };
}
