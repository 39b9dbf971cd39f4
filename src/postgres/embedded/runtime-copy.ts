import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { GodwitError } from "../../core/error.ts";
import { codeOf, messageOf } from "./system-error.ts";

/** Programs of one PostgreSQL, ready to run. */
export interface Binaries {
  readonly directory: string;
  /** The package's version, `18.4.0-beta.17`. */
  readonly version: string;
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

const MARKER = "complete.json";

/**
 * The complete runtime copy at a place; null when there is none, or one with parts missing
 * (a cleaner of old files, a full disk).
 */
export async function openRuntimeCopy(directory: string): Promise<Binaries | null> {
  try {
    const marker: unknown = JSON.parse(await readFile(join(directory, MARKER), "utf8"));
    if (typeof marker !== "object" || marker === null) return null;
    if (!("version" in marker) || typeof marker.version !== "string") return null;
    if (!("postgresBytes" in marker)) return null;
    const binaries = binariesIn(directory, marker.version);
    const sizes = await Promise.all([binaries.postgres, binaries.initdb, binaries.pgCtl].map((p) => stat(p)));
    return sizes[0]?.size === marker.postgresBytes ? binaries : null;
  } catch {
    return null;
  }
}

/**
 * Makes a runtime copy of a package's `native` folder: readable by every account, library links in place.
 * The copy appears by one rename, so that processes doing the same at once do not see each other's half.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when the package holds links out of itself or cannot be copied.
 */
export async function makeRuntimeCopy(native: string, version: string, target: string): Promise<Binaries> {
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const scratch = await mkdtemp(join(dirname(target), ".new-"));
  try {
    await chmod(scratch, 0o755);
    for (const folder of ["bin", "lib", "share"]) await copyTree(join(native, folder), join(scratch, folder));
    await makeLinks(native, scratch);
    const { size } = await stat(binariesIn(scratch, version).postgres);
    await writeFile(join(scratch, MARKER), JSON.stringify({ version, postgresBytes: size }));
    return await putInPlace(scratch, target);
  } catch (error) {
    if (error instanceof GodwitError) throw error;
    throw new GodwitError("EMBEDDED_UNAVAILABLE", `the PostgreSQL binaries cannot be copied to ${target}`, {
      detail: messageOf(error),
      cause: error,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function putInPlace(scratch: string, target: string): Promise<Binaries> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(scratch, target);
    } catch (error) {
      const others = await openRuntimeCopy(target);
      if (others !== null) return others;
      if (attempt === 3) throw error;
      // What stands there is broken: move it away first, since a rename onto a filled folder fails.
      const broken = `${scratch}.broken-${attempt}`;
      await rename(target, broken).catch(() => undefined);
      await rm(broken, { recursive: true, force: true });
      continue;
    }
    const ours = await openRuntimeCopy(target);
    if (ours !== null) return ours;
    throw new Error(`${target} vanished while it was made`);
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  // Not by mkdir's mode, which a strict umask narrows.
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await copyTree(source, copy);
    } else {
      await copyFile(source, copy, constants.COPYFILE_FICLONE);
      await chmod(copy, to.endsWith(`${sep}bin`) || /\.(so|dylib)/.test(entry.name) ? 0o755 : 0o644);
    }
  }
}

/** npm packages cannot hold symbolic links; this one lists them, as paths from the package's root. */
async function makeLinks(native: string, scratch: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(list)) throw new TypeError("pg-symlinks.json is not a list");
  for (const link of list as unknown[]) {
    if (typeof link !== "object" || link === null || !("source" in link && "target" in link)) continue;
    const [source, target] = [inside(scratch, link.source), inside(scratch, link.target)];
    await symlink(relative(dirname(target), source), target).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
  }
}

function inside(scratch: string, path: unknown): string {
  const full = resolve(scratch, String(path).replace(/^native\//, ""));
  if (full.startsWith(scratch + sep)) return full;
  throw new GodwitError(
    "EMBEDDED_UNAVAILABLE",
    `a PostgreSQL package links to ${String(path)}, outside itself`,
  );
}

function binariesIn(directory: string, version: string): Binaries {
  const program = (name: string): string =>
    join(directory, "bin", process.platform === "win32" ? `${name}.exe` : name);
  return {
    directory,
    version,
    postgres: program("postgres"),
    initdb: program("initdb"),
    pgCtl: program("pg_ctl"),
  };
}
