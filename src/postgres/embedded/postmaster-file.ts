import { readFileSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "./child-process.ts";
import { codeOf } from "./system-error.ts";

/** What a running server writes into its data directory (manual 66.1, src/include/utils/pidfile.h). */
export interface PostmasterFile {
  readonly pid: number;
  readonly dataDirectory: string;
  /** null until the server has come that far. */
  readonly port: number | null;
  readonly status: "starting" | "stopping" | "ready" | "standby" | null;
}

/**
 * Reads postmaster.pid of a data directory; null when there is none or it is only half written.
 * The file outlives a server that was killed: that it exists proves nothing.
 */
export async function readPostmasterFile(dataDirectory: string): Promise<PostmasterFile | null> {
  return parsePostmasterFile(await readFile(fileOf(dataDirectory), "utf8").catch(() => ""));
}

/** Lines: pid, data directory, start time, port, socket folder, listen address, shared memory, status. */
export function parsePostmasterFile(text: string): PostmasterFile | null {
  const lines = text.split("\n").map((line) => line.trim());
  const pid = Number(lines[0]);
  const dataDirectory = lines[1] ?? "";
  if (!Number.isSafeInteger(pid) || pid <= 1 || dataDirectory === "") return null;
  const port = Number(lines[3]);
  const status = lines[7];
  const known = status === "starting" || status === "stopping" || status === "ready" || status === "standby";
  return {
    pid,
    dataDirectory,
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : null,
    status: known ? status : null,
  };
}

/** Whether a process of that id runs, be it ours or not. One that ended and was not collected does not. */
export function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== "EPERM") return false;
  }
  if (process.platform !== "linux") return true;
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^ [ZX]/.test(line.slice(line.lastIndexOf(")") + 1));
  } catch {
    return false;
  }
}

/**
 * Whether a process is the server of a data directory, not a stranger that was given the same id after a
 * crash, a reboot or in a new container. A server's working folder is its data directory.
 */
export async function isPostmasterOf(pid: number, dataDirectory: string): Promise<boolean> {
  if (!processRuns(pid)) return false;
  if (process.platform === "linux") return isSameFolder(`/proc/${pid}/cwd`, dataDirectory);
  const limits = { cwd: dataDirectory, limitMs: 10_000 };
  if (process.platform === "win32") {
    // Which folder it works in cannot be asked there.
    const { output } = await runChild("tasklist", ["/FI", `PID eq ${pid}`, "/NH", "/FO", "CSV"], limits);
    return output.includes("postgres.exe");
  }
  const { output } = await runChild("lsof", ["-a", "-p", String(pid), "-d", "cwd", "-Fn"], limits);
  const folder = /^n(.*)$/m.exec(output)?.[1];
  return folder !== undefined && isSameFolder(folder, dataDirectory);
}

async function isSameFolder(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one).catch(() => null), stat(other).catch(() => null)]);
  return a !== null && b !== null && a.ino === b.ino && a.dev === b.dev;
}

/**
 * Lets a new server start where postmaster.pid names a process that runs but is none of its own: PostgreSQL
 * would refuse. The file stays, because its shared memory key is what tells a new server that backends of a
 * killed one still work on the data; only the id becomes that of this process, which the server looks past
 * as its parent (CreateLockFile in src/backend/utils/init/miscinit.c).
 */
export async function disownPostmasterFile(dataDirectory: string): Promise<void> {
  const path = fileOf(dataDirectory);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text !== null) await writeFile(path, text.replace(/^[^\n]*/, String(process.pid)));
}

function fileOf(dataDirectory: string): string {
  return join(dataDirectory, "postmaster.pid");
}
