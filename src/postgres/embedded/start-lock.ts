import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { processRuns } from "./postmaster-file.ts";
import { codeOf } from "./system-error.ts";

/** A lock that a process made and did not write its name into within this time is given up. */
const NAMELESS_LIMIT_MS = 10_000;
/** A lock taken on another machine cannot be judged by its process; nothing done under it takes as long. */
const FOREIGN_LIMIT_MS = 15 * 60_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process was started, where the system tells: ids are given out again. */
  readonly started: string | null;
  readonly nonce: string;
}

/**
 * Tries once to take a lock file that processes of this project share. A lock whose holder was killed is taken
 * over. It spares processes that start at once the same work; what must never happen twice does not rest on it
 * (the data directory appears by one rename, and PostgreSQL itself lets one server in).
 * @returns how to give it back, or null while another process holds it.
 */
export async function tryStartLock(path: string): Promise<(() => Promise<void>) | null> {
  const nonce = randomBytes(8).toString("hex");
  const me: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid), nonce };
  if (await claim(path, JSON.stringify(me))) {
    return async () => {
      if ((await read(path))?.nonce === nonce) await rm(path, { force: true });
    };
  }
  if (await isAbandoned(path)) await clear(path, nonce);
  return null;
}

async function claim(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const [holder, facts] = await Promise.all([read(path), stat(path).catch(() => null)]);
  if (facts === null) return false;
  const age = Date.now() - facts.mtimeMs;
  if (holder === null) return age > NAMELESS_LIMIT_MS;
  if (holder.host !== hostname()) return age > FOREIGN_LIMIT_MS;
  return !processRuns(holder.pid) || startOf(holder.pid) !== holder.started;
}

/** Moves an abandoned lock away; one that somebody took in the meantime is put back. */
async function clear(path: string, nonce: string): Promise<void> {
  const aside = `${path}.${nonce}`;
  try {
    await rename(path, aside);
    if (!(await isAbandoned(aside))) await claim(path, await readFile(aside, "utf8"));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function read(path: string): Promise<Holder | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return isHolder(value) ? value : null;
  } catch {
    return null;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  if (!("pid" in value && "host" in value && "started" in value && "nonce" in value)) return false;
  return typeof value.pid === "number" && typeof value.host === "string" && typeof value.nonce === "string";
}

function startOf(pid: number): string | null {
  if (process.platform !== "linux") return null;
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Field 22; the second, in parentheses, may hold spaces.
    return line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
