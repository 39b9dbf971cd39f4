import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { tryStartLock } from "./start-lock.ts";

describe("tryStartLock", () => {
  it("lets one in until it is given back", async () => {
    const path = await lockPath();
    const release = await tryStartLock(path);
    expect(release).not.toBeNull();
    expect(await tryStartLock(path)).toBeNull();
    await release?.();
    expect(await tryStartLock(path)).not.toBeNull();
  });

  it("never has two holders when many try at once, over an abandoned lock", async () => {
    const path = await lockPath();
    await writeFile(path, holder(await deadProcess(), hostname()));
    let holders = 0;
    let most = 0;
    let turns = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let attempt = 0; attempt < 2000; attempt++) {
          const release = await tryStartLock(path);
          if (release === null) continue;
          most = Math.max(most, ++holders);
          await new Promise((resolve) => setImmediate(resolve));
          holders--;
          turns++;
          await release();
          return;
        }
      }),
    );
    expect({ most, turns }).toEqual({ most: 1, turns: 20 });
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  it("takes over from a process that died, and from one that never wrote its name", async () => {
    const path = await lockPath();
    for (const content of [holder(await deadProcess(), hostname()), "", "{"]) {
      await writeFile(path, content);
      await utimes(path, 0, 0);
      expect(await tryStartLock(path)).toBeNull();
      const release = await tryStartLock(path);
      expect(release).not.toBeNull();
      await release?.();
    }
  });

  it("leaves alone a fresh lock without a name, and one of another machine", async () => {
    const path = await lockPath();
    for (const content of ["", holder(await deadProcess(), "elsewhere")]) {
      await writeFile(path, content);
      expect(await tryStartLock(path)).toBeNull();
      expect(await tryStartLock(path)).toBeNull();
    }
  });

  it("does not give back what another took over in the meantime", async () => {
    const path = await lockPath();
    const release = await tryStartLock(path);
    await writeFile(path, holder(process.pid, "elsewhere"));
    await release?.();
    expect(await readdir(join(path, ".."))).toEqual(["start.lock"]);
  });
});

function holder(pid: number, host: string): string {
  return JSON.stringify({ pid, host, started: null, nonce: "0" });
}

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

async function lockPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-unit-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "start.lock");
}
