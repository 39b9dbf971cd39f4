import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import { dataDirectoryOf, type Instance, socketDirectoryOf } from "./instance.ts";
import { isInitialised } from "./launch.ts";
import type { EmbeddedMajor } from "./packages.ts";
import { disownPostmasterFile } from "./postmaster-file.ts";
import { findPostmaster, runsOutOfSight } from "./running.ts";
import { stopPostmaster } from "./stop-postmaster.ts";

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

/** Binaries and data directories belong to one of these. */
export const PLATFORM = `${process.platform}-${process.arch}`;

/**
 * The major of an instance's data; null when there is no data yet.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when another one was asked for: data is not converted silently.
 */
export async function dataMajor(
  instance: Instance,
  asked: EmbeddedMajor | undefined,
): Promise<number | null> {
  const data = dataDirectoryOf(instance);
  const text = await readFile(join(data, "PG_VERSION"), "utf8").catch(() => null);
  if (text === null) return null;
  const major = Number.parseInt(text, 10);
  if (asked === undefined || asked === major) return major;
  throw new GodwitError(
    "EMBEDDED_UNAVAILABLE",
    `the embedded server's data in ${data} is of PostgreSQL ${major}, and ${asked} was asked for`,
    { hint: `ask for ${major}, or start anew, without the data: godwit dev stop, then remove ${data}` },
  );
}

/**
 * Makes sure that a server may be started on an instance's data, and clears what a crashed one left in the way.
 * The caller has found that no process here serves it.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when a server in another container does, or the data was made on
 * another platform.
 */
export async function prepareRestart(instance: Instance): Promise<void> {
  const data = dataDirectoryOf(instance);
  if (instance.platform !== PLATFORM) {
    throw new GodwitError(
      "EMBEDDED_UNAVAILABLE",
      `the embedded server's data in ${data} was made on ${instance.platform}; this is ${PLATFORM}`,
      { hint: `use it there, or start anew, without the data: remove ${data}` },
    );
  }
  if (await runsOutOfSight(instance)) {
    throw new GodwitError(
      "EMBEDDED_UNAVAILABLE",
      `the embedded server of ${data} runs in another container`,
      { hint: "stop it there: godwit dev stop" },
    );
  }
  await disownPostmasterFile(data);
  // Its lock file names the dead server's id as well, and a process with that id would keep the new one out.
  for (const name of await readdir(socketDirectoryOf(instance)).catch(() => [])) {
    if (name.startsWith(".s.PGSQL.")) await rm(join(socketDirectoryOf(instance), name), { force: true });
  }
}

/**
 * Moves data away whose instance.json is gone, and with it the password: the project was removed while its data
 * lay outside. The project begins anew; nothing is deleted. A server that still runs on it is stopped.
 * @returns where the data is now; null when there was none.
 */
export async function setStrayDataAside(instance: Instance): Promise<string | null> {
  const data = dataDirectoryOf(instance);
  if (!(await isInitialised(data))) return null;
  const postmaster = await findPostmaster(instance);
  if (postmaster !== null) await stopPostmaster(postmaster.pid);
  for (let number = 1; ; number++) {
    const aside = `${data}.${number}`;
    if ((await stat(aside).catch(() => null)) !== null) continue;
    await rename(data, aside);
    return aside;
  }
}

/** Begins a new log when the last has grown large, keeping that one. */
export async function rotateLog(logFile: string): Promise<void> {
  const facts = await stat(logFile).catch(() => null);
  if (facts !== null && facts.size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`);
}
