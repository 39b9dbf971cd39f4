import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, property, string } from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  disownPostmasterFile,
  isPostmasterOf,
  parsePostmasterFile,
  processRuns,
  readPostmasterFile,
} from "./postmaster-file.ts";

const FILE = `4711
/srv/app/data
1795155207
21568
/srv/app/socket
127.0.0.1
    20643       131
ready   
`;

describe("parsePostmasterFile", () => {
  it("reads what a server writes", () => {
    expect(parsePostmasterFile(FILE)).toEqual({
      pid: 4711,
      dataDirectory: "/srv/app/data",
      port: 21_568,
      status: "ready",
    });
  });

  it("takes what is there of a file that a starting server has begun", () => {
    expect(parsePostmasterFile("4711\n/srv/app/data\n1795155207\n")).toEqual({
      pid: 4711,
      dataDirectory: "/srv/app/data",
      port: null,
      status: null,
    });
  });

  it.each([
    "",
    "\n",
    "4711",
    "4711\n",
    "0\n/srv\n",
    "1\n/srv\n",
    "-4711\n/srv\n",
    "x\n/srv\n",
    "4e999\n/srv\n",
  ])("makes nothing of %j", (text) => {
    expect(parsePostmasterFile(text)).toBeNull();
  });

  it("never names a process that may not be signalled, whatever the file holds", () => {
    assert(
      property(string(), (text) => {
        const file = parsePostmasterFile(text);
        expect(file === null || file.pid > 1).toBe(true);
      }),
    );
  });
});

describe("processRuns", () => {
  it("tells a process that runs from one that ended", async () => {
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    const pid = child.pid ?? 0;
    expect(processRuns(pid)).toBe(true);
    child.stdin.end();
    await once(child, "exit");
    expect(processRuns(pid)).toBe(false);
  });
});

describe("isPostmasterOf", () => {
  it("is false for a process that works elsewhere", async () => {
    const folder = await temporaryFolder();
    expect(await isPostmasterOf(process.pid, folder)).toBe(false);
  });
});

describe("disownPostmasterFile", () => {
  it("changes the process id alone", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "postmaster.pid"), FILE);
    await disownPostmasterFile(folder);
    expect(await readPostmasterFile(folder)).toMatchObject({ pid: process.pid, port: 21_568 });
    expect(await readFile(join(folder, "postmaster.pid"), "utf8")).toBe(
      FILE.replace("4711", `${process.pid}`),
    );
  });

  it("does nothing where there is no file", async () => {
    const folder = await temporaryFolder();
    await disownPostmasterFile(folder);
    expect(await readPostmasterFile(folder)).toBeNull();
  });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-unit-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
