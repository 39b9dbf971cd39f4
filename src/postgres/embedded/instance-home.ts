import { chmod, lstat, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import type { InstancePlaces } from "./instance.ts";
import { handOver } from "./server-files.ts";
import { isRoot, mayEnter, type ServerUser } from "./server-user.ts";
import { messageOf } from "./system-error.ts";

/**
 * Makes `.godwit/postgres` in the project, kept out of version control.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when the project cannot be written to.
 */
export async function makeInstanceDirectory(places: InstancePlaces): Promise<void> {
  try {
    const made = await mkdir(places.directory, { recursive: true });
    if (made === undefined) return;
    const parent = dirname(places.directory);
    // Whatever the umask: as root, the server's account has to pass through.
    await chmod(places.directory, isRoot() ? 0o711 : 0o700);
    if (made !== places.directory) await chmod(parent, 0o755);
    await writeFile(join(parent, ".gitignore"), "*\n");
  } catch (error) {
    throw new GodwitError("EMBEDDED_UNAVAILABLE", `${places.directory} cannot be made`, {
      detail: messageOf(error),
      hint: "the project's folder must be writable, or set DATABASE_URL to a server",
      cause: error,
    });
  }
}

/**
 * Chooses where a new server's data lives: in the project, or outside when the server's account cannot get
 * there (a clone only root can enter) or the file system cannot keep it private (shared and network folders).
 * @throws GodwitError EMBEDDED_UNAVAILABLE when neither place will do.
 */
export async function chooseHome(places: InstancePlaces, user: ServerUser | null): Promise<string> {
  const [inside, outside] = places.homes;
  if (await canKeepData(inside, user)) return inside;
  try {
    const parent = dirname(outside);
    const mode = isRoot() ? 0o711 : 0o700;
    for (const folder of [parent, outside]) {
      if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, mode);
    }
    const facts = await lstat(parent);
    const ours =
      process.getuid === undefined || (facts.uid === process.getuid() && (facts.mode & 0o022) === 0);
    if (facts.isDirectory() && ours && (await canKeepData(outside, user))) return outside;
  } catch (error) {
    throw nowhere(places, user, error);
  }
  throw nowhere(places, user);
}

/** Tries what PostgreSQL will demand: a folder of mode 0700 that the account owns and can reach. */
async function canKeepData(home: string, user: ServerUser | null): Promise<boolean> {
  if (!(await mayEnter(home, user))) return false;
  let probe: string | null = null;
  try {
    probe = await mkdtemp(join(home, ".probe-"));
    await handOver(probe, 0o700, user);
    const facts = await stat(probe);
    if (process.platform === "win32") return true;
    return (facts.mode & 0o777) === 0o700 && facts.uid === (user?.uid ?? process.getuid?.());
  } catch {
    return false;
  } finally {
    if (probe !== null) await rm(probe, { recursive: true, force: true });
  }
}

function nowhere(places: InstancePlaces, user: ServerUser | null, cause?: unknown): GodwitError {
  const who = user?.name ?? "this account";
  return new GodwitError(
    "EMBEDDED_UNAVAILABLE",
    `PostgreSQL, run by ${who}, can keep its data neither in ${places.homes[0]} nor in ${places.homes[1]}`,
    { hint: "move the project to a local file system, or set DATABASE_URL to a server", cause },
  );
}
