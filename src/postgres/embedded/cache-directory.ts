import { chmod, lstat, mkdir } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import type { Environment } from "./child-process.ts";
import { messageOf } from "./system-error.ts";

/**
 * The folder for what can be made again (binaries, templates), made if missing: `$XDG_CACHE_HOME/godwit`,
 * `~/.cache/godwit`, `~/Library/Caches/godwit` or `%LOCALAPPDATA%\godwit`; for root `/var/cache/godwit`,
 * because the account the server runs as cannot read below root's home.
 * Programs are run from it: a folder that another account owns or may write to is passed over.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when no candidate can be used, with the reason for each.
 */
export async function cacheDirectory(env: Environment): Promise<string> {
  const reasons: string[] = [];
  for (const candidate of cacheCandidates(env)) {
    const reason = await openPrivately(candidate);
    if (reason === null) return candidate;
    reasons.push(`${candidate}: ${reason}`);
  }
  throw new GodwitError("EMBEDDED_UNAVAILABLE", "there is no folder to keep the PostgreSQL binaries in", {
    detail: reasons.join("\n"),
    hint: "set XDG_CACHE_HOME to a folder of your own that can be written to",
  });
}

/** Where the cache may be, best first. */
export function cacheCandidates(
  env: Environment,
  platform: string = process.platform,
  uid: number | undefined = process.getuid?.(),
): string[] {
  const inTemporary = join(tmpdir(), `godwit-cache-${uid ?? "user"}`);
  if (uid === 0) return ["/var/cache/godwit", inTemporary];
  const home = homedir();
  if (platform === "win32") {
    return [join(env["LOCALAPPDATA"] || join(home, "AppData", "Local"), "godwit"), inTemporary];
  }
  const xdg = env["XDG_CACHE_HOME"];
  if (xdg !== undefined && xdg.startsWith("/")) return [join(xdg, "godwit"), inTemporary];
  const usual = platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  return [join(usual, "godwit"), inTemporary];
}

/** Makes the folder if it is missing; null when it is ours alone to write, else what is wrong with it. */
export async function openPrivately(
  folder: string,
  uid: number | undefined = process.getuid?.(),
): Promise<string | null> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o755 });
    // Whatever the umask: the account the server runs as must be able to enter.
    if (made !== undefined) await chmod(folder, 0o755);
    const facts = await lstat(folder);
    if (!facts.isDirectory()) return "not a folder";
    if (uid === undefined) return null;
    if (facts.uid !== uid) return `owned by uid ${facts.uid}`;
    if ((facts.mode & 0o022) !== 0) return "others may write to it";
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
