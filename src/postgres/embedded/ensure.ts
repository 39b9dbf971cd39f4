import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { monotonicMs } from "../../core/clock.ts";
import { GodwitError } from "../../core/error.ts";
import { sleep, throwIfAborted } from "../../core/interrupt.ts";
import { locateBinaries } from "./binaries.ts";
import type { Environment } from "./child-process.ts";
import {
  dataDirectoryOf,
  type Instance,
  type InstancePlaces,
  instancePlaces,
  readInstance,
  socketDirectoryOf,
  writeInstance,
} from "./instance.ts";
import { chooseHome, makeInstanceDirectory } from "./instance-home.ts";
import { launchServer } from "./launch.ts";
import { DEFAULT_MAJOR, type EmbeddedMajor, isEmbeddedMajor } from "./packages.ts";
import { findRunning, makeDatabase, type RunningServer } from "./running.ts";
import { newPassword, type ServerParameters, serverUrl } from "./server-parameters.ts";
import { serverUser } from "./server-user.ts";
import { dataMajor, PLATFORM, prepareRestart, rotateLog, setStrayDataAside } from "./startable.ts";
import { tryStartLock } from "./start-lock.ts";
import { messageOf } from "./system-error.ts";

const LOCK_LIMIT_MS = 15 * 60_000;

export interface EnsureOptions {
  /** The project's root. */
  readonly directory: string;
  /** Left out: the major of the data that is there, else the newest. */
  readonly major?: EmbeddedMajor | undefined;
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
}

export interface EmbeddedServer {
  /** A postgres:// URL with the password in it: for connecting, never for showing. */
  readonly conninfo: string;
  /** host, port, user, dbname, password, as libpq names them. */
  readonly parameters: ServerParameters;
  /** `.godwit/postgres` of the project. */
  readonly directory: string;
  readonly pid: number;
  /** It ran already. */
  readonly reused: boolean;
  /** Milliseconds until it was there, whoever started it. */
  readonly startedMs: number;
  /** As the server tells it, `18.4`. */
  readonly version: string;
}

/**
 * Gives a project its own PostgreSQL server under `.godwit/postgres`: the one that runs, else one started now,
 * with the superuser `postgres` and the database `app`. It stays up when this process ends; any number of
 * processes may ask at once and get the same one. Data is durable; only 127.0.0.1 and the password get in.
 * Binaries are fetched if need be: called only where a person asked for an embedded server.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when it cannot be installed or started, or holds data of another
 * major than asked; the signal's reason when aborted.
 */
export async function ensureEmbeddedServer(options: EnsureOptions): Promise<EmbeddedServer> {
  const started = monotonicMs();
  const places = await instancePlaces(options.directory, options.env ?? {});
  try {
    const { reused, ...server } = await getOrStart(places, options);
    return {
      conninfo: serverUrl(server.parameters),
      parameters: server.parameters,
      directory: places.directory,
      pid: server.pid,
      reused,
      startedMs: monotonicMs() - started,
      version: server.version,
    };
  } catch (error) {
    throw asUnavailable(error);
  }
}

async function getOrStart(
  places: InstancePlaces,
  options: EnsureOptions,
): Promise<RunningServer & { reused: boolean }> {
  const until = monotonicMs() + LOCK_LIMIT_MS;
  for (let attempt = 1; monotonicMs() < until; attempt++) {
    throwIfAborted(options.signal);
    const running = await reuse(places, options);
    if (running !== null) return { ...running, reused: true };
    await makeInstanceDirectory(places);
    const release = await tryStartLock(places.lock);
    if (release !== null) {
      try {
        // Somebody may have started it between our look and our lock.
        const other = await reuse(places, options);
        return other === null
          ? { ...(await start(places, options)), reused: false }
          : { ...other, reused: true };
      } finally {
        await release();
      }
    }
    if (attempt === 1) options.onProgress?.("waiting for another process that starts the embedded server");
    await sleep(20 + Math.random() * 60, options.signal);
  }
  throw new GodwitError(
    "EMBEDDED_UNAVAILABLE",
    "another process has been starting the embedded server too long",
    {
      hint: `if there is none, remove ${places.lock}`,
    },
  );
}

async function reuse(places: InstancePlaces, options: EnsureOptions): Promise<RunningServer | null> {
  const instance = await readInstance(places);
  if (instance === null) return null;
  const running = await findRunning(instance, options.signal);
  if (running !== null) await dataMajor(instance, options.major);
  return running;
}

async function start(places: InstancePlaces, options: EnsureOptions): Promise<RunningServer> {
  const { env, signal, onProgress } = options;
  const known = await readInstance(places);
  const existing = known === null ? null : await dataMajor(known, options.major);
  const major = existing ?? options.major ?? DEFAULT_MAJOR;
  if (!isEmbeddedMajor(major))
    throw new GodwitError("EMBEDDED_UNAVAILABLE", `no PostgreSQL ${major} can be had`);
  const binaries = await locateBinaries({ major, project: places.project, env, signal, onProgress });
  const owner = existing === null || known === null ? null : await stat(dataDirectoryOf(known));
  const user = await serverUser(owner?.uid);
  let instance = known;
  if (instance === null || existing === null) {
    instance = newInstance(places, await chooseHome(places, user));
    const aside = await setStrayDataAside(instance);
    if (aside !== null) onProgress?.(`data of an earlier project at this place is now in ${aside}`);
    // Before initdb uses the password: whatever is cut off in between, it is not lost.
    await writeInstance(places, instance);
  } else {
    await prepareRestart(instance);
  }
  await rotateLog(places.logFile);
  onProgress?.(`starting PostgreSQL ${binaries.version.split(".", 2).join(".")}`);
  const server = await launchServer({
    binaries,
    user,
    env,
    signal,
    onProgress,
    dataDirectory: dataDirectoryOf(instance),
    logFile: places.logFile,
    port: instance.port,
    password: instance.password,
    socketDirectory: socketDirectoryOf(instance),
    durable: true,
  });
  if (server.port !== instance.port) await writeInstance(places, { ...instance, port: server.port });
  if (existing === null) await makeDatabase(server.parameters);
  const running = await findRunning(instance, signal);
  if (running !== null) return running;
  throw new GodwitError("EMBEDDED_UNAVAILABLE", "the embedded server ended right after its start", {
    hint: `its log is ${places.logFile}`,
  });
}

/** The port follows from the project's path, so that a server made anew is found at the same place. */
function newInstance(places: InstancePlaces, home: string): Instance {
  const seed = createHash("sha256").update(places.project).digest().readUInt32BE();
  return { version: 1, home, password: newPassword(), port: 20_000 + (seed % 12_000), platform: PLATFORM };
}

/** File system errors are the user's to solve: they say where, and need no stack trace. */
function asUnavailable(error: unknown): GodwitError {
  if (error instanceof GodwitError) return error;
  return new GodwitError("EMBEDDED_UNAVAILABLE", `the embedded server cannot be used: ${messageOf(error)}`, {
    cause: error,
  });
}
