import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import { monotonicMs } from "../../core/clock.ts";
import { sleep, throwIfAborted } from "../../core/interrupt.ts";
import { locateBinaries } from "./binaries.ts";
import type { Environment } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { initialiseDataDirectory } from "./initialise.ts";
import type { EmbeddedMajor } from "./packages.ts";
import type { Binaries } from "./runtime-copy.ts";
import {
  installTls,
  prepareSocketDirectory,
  type ServerTls,
  writeHostBasedAuthentication,
} from "./server-files.ts";
import { newPassword, type ServerParameters, serverParameters, serverUrl } from "./server-parameters.ts";
import { type ServerUser, serverUser } from "./server-user.ts";
import { startOnce } from "./start-once.ts";
import { stopPostmaster } from "./stop-postmaster.ts";

const PORT_ATTEMPTS = 10;
/** How long processes of a killed server may take to notice; they end as soon as they are given the time to. */
const REMAINS_LIMIT_MS = 30_000;

export interface LaunchOptions {
  /** Made by initdb when missing. The folder it lies in must let the server's account in. */
  readonly dataDirectory: string;
  readonly major?: EmbeddedMajor | undefined;
  /** Left out: located for `major`, fetched if need be. */
  readonly binaries?: Binaries | undefined;
  /** The account to run as when we are root; left out: chosen by serverUser(). */
  readonly user?: ServerUser | null | undefined;
  /** Where the server's output is appended; default `server.log` in the data directory. */
  readonly logFile?: string | undefined;
  /** Tried first; another is taken when it is busy. */
  readonly port?: number | undefined;
  /** How clients prove themselves; `scram` by default, since every local user can reach the port. */
  readonly auth?: "scram" | "trust" | undefined;
  /** The superuser's; made up when left out. Must be given for a data directory that exists. */
  readonly password?: string | undefined;
  /** Lines of pg_hba.conf that replace those of `auth`. */
  readonly hostBasedAuthentication?: readonly string[] | undefined;
  readonly tls?: ServerTls | undefined;
  /** Server settings by name, given with -c. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Folder for a Unix socket beside TCP, made if missing. */
  readonly socketDirectory?: string | null | undefined;
  /** Whether initdb waits until everything is on disk; off by default. */
  readonly durable?: boolean | undefined;
  readonly project?: string | null | undefined;
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
}

export interface LaunchedServer {
  readonly pid: number;
  readonly port: number;
  /** The package's version, `18.4.0-beta.17`; its first two parts are PostgreSQL's. */
  readonly version: string;
  readonly dataDirectory: string;
  /** null: there is no Unix socket. */
  readonly socketDirectory: string | null;
  readonly logFile: string;
  /** Of the superuser and the database `postgres`. */
  readonly parameters: ServerParameters;
  /** The same as a postgres:// URL. */
  readonly conninfo: string;
  /** Stops the server (fast shutdown, then harder) and returns when its process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server on 127.0.0.1 and returns when it takes connections. It lives on when this process
 * ends, in a process group of its own: Ctrl-C at the terminal does not reach it. The caller stops it.
 * @throws GodwitError EMBEDDED_UNAVAILABLE with the end of the server's log when it does not start within
 * 60 seconds (10 minutes while it recovers from a crash); the signal's reason when aborted. No server is left.
 */
export async function launchServer(options: LaunchOptions): Promise<LaunchedServer> {
  const { dataDirectory, env, signal } = options;
  const binaries = options.binaries ?? (await locateBinaries(options));
  const user = options.user === undefined ? await serverUser() : options.user;
  const password = options.password ?? newPassword();
  const logFile = options.logFile ?? join(dataDirectory, "server.log");
  if (!(await isInitialised(dataDirectory))) {
    const { auth = "scram", durable = false } = options;
    options.onProgress?.("initialising the data directory");
    await initialiseDataDirectory({ binaries, dataDirectory, user, password, auth, durable, env, signal });
  }
  if (options.hostBasedAuthentication !== undefined) {
    await writeHostBasedAuthentication(dataDirectory, options.hostBasedAuthentication, user);
  }
  const socketDirectory = await prepareSocketDirectory(options.socketDirectory ?? null, user);
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: socketDirectory ?? "",
    ...(options.tls === undefined ? {} : await installTls(dataDirectory, options.tls, user)),
    ...options.settings,
  };
  let port = await freePort(options.port ?? 20_000 + (randomBytes(2).readUInt16LE() % 12_000));
  const started = monotonicMs();
  for (let attempt = 1; ;) {
    throwIfAborted(signal);
    const start = { binaries, dataDirectory, user, port, settings, logFile, env, signal };
    const outcome = await startOnce(start);
    if (outcome.pid !== null) {
      const { pid } = outcome;
      const parameters = serverParameters(port, password, "postgres");
      return {
        pid,
        port,
        version: binaries.version,
        dataDirectory,
        socketDirectory,
        logFile,
        parameters,
        conninfo: serverUrl(parameters),
        stop: async () => void (await stopPostmaster(pid)),
      };
    }
    if (outcome.obstacle === "remains" && monotonicMs() - started < REMAINS_LIMIT_MS) {
      await sleep(100, signal);
      continue;
    }
    if (outcome.obstacle !== "port" || attempt === PORT_ATTEMPTS) {
      throw new GodwitError("EMBEDDED_UNAVAILABLE", `PostgreSQL ${binaries.version} did not start`, {
        detail: outcome.log.trim().split("\n").slice(-12).join("\n") || "it wrote nothing to its log",
        ...(options.logFile === undefined ? {} : { hint: `its whole log is ${logFile}` }),
      });
    }
    port = await freePort(port + 1);
    attempt += 1;
  }
}

/** Whether a data directory holds a cluster already. */
export async function isInitialised(dataDirectory: string): Promise<boolean> {
  return readFile(join(dataDirectory, "PG_VERSION"), "utf8").then(
    () => true,
    () => false,
  );
}
