import { chmod, chown, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import { cannotRun, type Environment, runChild, serverEnvironment } from "./child-process.ts";
import { isEmbeddedMajor } from "./packages.ts";
import type { Binaries } from "./runtime-copy.ts";
import { SUPERUSER } from "./server-parameters.ts";
import type { ServerUser } from "./server-user.ts";

const INITDB_LIMIT_MS = 120_000;

export interface InitialiseOptions {
  readonly binaries: Binaries;
  /** Made here; it must not exist, and the account must be able to enter the folder it lies in. */
  readonly dataDirectory: string;
  readonly user: ServerUser | null;
  /** Of the superuser `postgres`. */
  readonly password: string;
  readonly auth: "scram" | "trust";
  /** Write everything to disk before returning; off where the data is thrown away. */
  readonly durable: boolean;
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a data directory with the superuser `postgres`, UTF8 and a collation that is the same on every machine.
 * It appears by one rename: a half-made one is never left at the place.
 * @throws GodwitError EMBEDDED_UNAVAILABLE with what initdb said; the signal's reason when aborted.
 */
export async function initialiseDataDirectory(options: InitialiseOptions): Promise<void> {
  const { binaries, dataDirectory, user } = options;
  const scratch = await mkdtemp(join(dirname(dataDirectory), ".initdb-"));
  try {
    const passwordFile = join(scratch, "password");
    await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
    await mkdir(join(scratch, "data"), { mode: 0o700 });
    if (user !== null) {
      for (const path of [passwordFile, join(scratch, "data"), scratch])
        await chown(path, user.uid, user.gid);
    }
    const args = [
      `--pgdata=${join(scratch, "data")}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      `--auth=${options.auth === "scram" ? "scram-sha-256" : "trust"}`,
      ...(options.durable ? [] : ["--no-sync"]),
    ];
    await runInitdb(options, args, join(scratch, "data"));
    await chmod(join(scratch, "data"), 0o700);
    await rename(join(scratch, "data"), dataDirectory);
  } catch (error) {
    if (error instanceof GodwitError) throw error;
    throw cannotRun(binaries.initdb, error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runInitdb(
  options: InitialiseOptions,
  args: readonly string[],
  scratch: string,
): Promise<void> {
  let output = "";
  for (const locale of localeArguments(options.binaries.version)) {
    const result = await runChild(options.binaries.initdb, [...args, ...locale], {
      cwd: options.binaries.directory,
      limitMs: INITDB_LIMIT_MS,
      user: options.user,
      env: serverEnvironment(options.env ?? {}),
      signal: options.signal,
    });
    if (result.status === 0) return;
    output = result.timedOut ? "it did not finish within 2 minutes" : result.output.trim();
    // Only a refused locale is worth another attempt.
    if (!output.includes("locale")) break;
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { mode: 0o700 });
    if (options.user !== null) await chown(scratch, options.user.uid, options.user.gid);
  }
  throw new GodwitError("EMBEDDED_UNAVAILABLE", `initdb of PostgreSQL ${options.binaries.version} failed`, {
    detail: output,
    ...(output.includes("could not look up effective user ID")
      ? {
          hint: "PostgreSQL needs its account to have a line in /etc/passwd: add one, or run as another user",
        }
      : {}),
  });
}

/**
 * Locale arguments to try in order. From 17 on PostgreSQL has C.UTF-8 built in (manual 23.1.4): code point
 * order with Unicode's letters, whatever the machine has. Before, the C library must know it; C always works.
 */
function localeArguments(version: string): string[][] {
  const major = Number.parseInt(version, 10);
  if (isEmbeddedMajor(major) && major >= 17) {
    return [["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]];
  }
  return [["--locale=C.UTF-8"], ["--locale=C"]];
}
