import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { GodwitError } from "../../core/error.ts";

/** The account a server runs as when Godwit itself runs as root. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Whether this process is root, which PostgreSQL refuses to run as (manual 18.1). */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account to run PostgreSQL as: null (our own) unless we are root; then `postgres`, else `nobody`.
 * An account without an entry in /etc/passwd is of no use: initdb looks its own name up and fails.
 * @param ownerUid the owner of an existing data directory, preferred to the two.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when we are root and neither account exists.
 */
export async function serverUser(ownerUid?: number): Promise<ServerUser | null> {
  if (!isRoot()) return null;
  const users = parsePasswd(await readFile("/etc/passwd", "utf8").catch(() => ""));
  const user =
    users.find(({ uid }) => uid !== 0 && uid === ownerUid) ??
    users.find(({ name, uid }) => name === "postgres" && uid !== 0) ??
    users.find(({ name, uid }) => name === "nobody" && uid !== 0);
  if (user !== undefined) return user;
  throw new GodwitError(
    "EMBEDDED_UNAVAILABLE",
    "PostgreSQL refuses to run as root, and /etc/passwd has neither a user postgres nor nobody",
    { hint: "run as another user, or make one: useradd --system postgres" },
  );
}

/** Reads the lines of a passwd(5) file; malformed lines are left out. */
export function parsePasswd(text: string): ServerUser[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    if (name === undefined || name === "" || !/^\d+$/.test(uid ?? "") || !/^\d+$/.test(gid ?? "")) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/**
 * Whether an account may enter a folder: it needs the x bit of the folder and of every one above it.
 * The part of a path that does not exist yet does not count. Access lists beyond the mode are not seen.
 * A user of null is ourselves, who may.
 */
export async function mayEnter(folder: string, user: ServerUser | null): Promise<boolean> {
  if (user === null) return true;
  for (let path = folder; ; path = dirname(path)) {
    const facts = await stat(path).catch(() => null);
    if (facts !== null) {
      const bit = facts.uid === user.uid ? 0o100 : facts.gid === user.gid ? 0o010 : 0o001;
      if (!facts.isDirectory() || (facts.mode & bit) === 0) return false;
    }
    if (path === dirname(path)) return true;
  }
}

/** The uid and gid options of node:child_process for an account; empty for our own. */
export function spawnIdentity(user: ServerUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid };
}
