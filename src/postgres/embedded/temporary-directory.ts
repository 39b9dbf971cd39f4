import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import { isPostmasterOf, processRuns, readPostmasterFile } from "./postmaster-file.ts";
import { handOver } from "./server-files.ts";
import { mayEnter, type ServerUser } from "./server-user.ts";
import { stopPostmaster } from "./stop-postmaster.ts";

const PREFIX = "godwit-server-";
const OWNER_FILE = "owner.pid";

/** A folder for a server that is thrown away: `data` and `socket` go into it. */
export interface TemporaryDirectory {
  readonly path: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
}

/**
 * Makes a folder for a throw-away server that the server's account owns, in the system's temporary folder,
 * or where the account may not enter that, in /tmp or /var/tmp. What earlier processes left behind because
 * they were killed is cleared away first.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when the account can enter none of them.
 */
export async function makeTemporaryDirectory(user: ServerUser | null): Promise<TemporaryDirectory> {
  for (const candidate of new Set([tmpdir(), "/tmp", "/var/tmp"])) {
    const parent = await realpath(candidate).catch(() => null);
    if (parent === null || !(await mayEnter(parent, user))) continue;
    await clearAbandoned(parent, user);
    const path = await mkdtemp(join(parent, PREFIX)).catch(() => null);
    if (path === null) continue;
    await writeFile(join(path, OWNER_FILE), String(process.pid));
    await handOver(path, 0o700, user);
    await mkdir(join(path, "socket"));
    await handOver(join(path, "socket"), 0o700, user);
    return { path, dataDirectory: join(path, "data"), socketDirectory: join(path, "socket") };
  }
  throw new GodwitError("EMBEDDED_UNAVAILABLE", "there is no temporary folder that PostgreSQL may work in", {
    hint: `set TMPDIR to a folder that ${user?.name ?? "this user"} may enter and write to`,
  });
}

/** Removes the folder of a server that was stopped; its last files may be in use a moment longer. */
export async function removeTemporaryDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/**
 * Stops and removes throw-away servers whose maker is gone. Folders that another account made are left alone.
 */
async function clearAbandoned(parent: string, user: ServerUser | null): Promise<void> {
  const accounts = [process.getuid?.(), user?.uid];
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const [facts, owner] = await Promise.all([
      lstat(path).catch(() => null),
      lstat(join(path, OWNER_FILE)).catch(() => null),
    ]);
    if (facts?.isDirectory() !== true || owner?.isFile() !== true) continue;
    // As root the folder is the server's account's, and the file in it still ours.
    if (process.getuid !== undefined && !accounts.includes(facts.uid)) continue;
    if (process.getuid !== undefined && owner.uid !== process.getuid()) continue;
    const maker = Number(await readFile(join(path, OWNER_FILE), "utf8").catch(() => ""));
    if (!Number.isSafeInteger(maker) || maker <= 0 || processRuns(maker)) continue;
    const data = join(path, "data");
    const server = await readPostmasterFile(data);
    if (server !== null && (await isPostmasterOf(server.pid, data))) await stopPostmaster(server.pid);
    await removeTemporaryDirectory(path).catch(() => undefined);
  }
}
