import { rmSync } from "node:fs";
import { abortReason, throwIfAborted } from "../../core/interrupt.ts";
import { locateBinaries } from "./binaries.ts";
import { launchServer, type LaunchedServer, type LaunchOptions } from "./launch.ts";
import { processRuns } from "./postmaster-file.ts";
import { newPassword } from "./server-parameters.ts";
import type { Binaries } from "./runtime-copy.ts";
import { type ServerUser, serverUser } from "./server-user.ts";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "./temporary-directory.ts";

/** Nobody misses the data after a crash of the machine. */
const THROW_AWAY = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/** How long the work may take to end by itself once it is told to, before its server goes away. */
const GRACE_MS = 10_000;

export interface TemporaryServerOptions extends Omit<
  LaunchOptions,
  "dataDirectory" | "binaries" | "user" | "durable" | "password" | "logFile"
> {
  /** Fills the data directory some faster way than initdb; returns the superuser's password. */
  readonly initialise?: (
    binaries: Binaries,
    user: ServerUser | null,
    dataDirectory: string,
  ) => Promise<string>;
}

/**
 * Starts a server in a temporary folder, with the durability settings off. `stop()` also removes the folder.
 * If this process ends without that, the server goes with it; if it is killed, the next temporary server clears up.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when no server can be had; the signal's reason when aborted.
 */
export async function startTemporaryServer(options: TemporaryServerOptions = {}): Promise<LaunchedServer> {
  const binaries = await locateBinaries(options);
  const user = await serverUser();
  const directory = await makeTemporaryDirectory(user);
  try {
    const { dataDirectory } = directory;
    const password = (await options.initialise?.(binaries, user, dataDirectory)) ?? newPassword();
    const server = await launchServer({
      socketDirectory: directory.socketDirectory,
      ...options,
      binaries,
      user,
      dataDirectory,
      password,
      settings: { ...THROW_AWAY, ...options.settings },
    });
    const onExit = (): void => endNow(server.pid, directory.path);
    process.once("exit", onExit);
    return {
      ...server,
      stop: async () => {
        await server.stop();
        process.removeListener("exit", onExit);
        await removeTemporaryDirectory(directory.path);
      },
    };
  } catch (error) {
    await removeTemporaryDirectory(directory.path);
    throw error;
  }
}

/**
 * Runs work with a throw-away server, which is stopped and removed when the work ends, fails or is aborted.
 * Aborted work is given time to end by itself; then its server goes away under it.
 * @param options `graceMs`: how much time, in milliseconds; default 10 seconds.
 * @returns what the work returns.
 * @throws what the work throws; the signal's reason when the work did not end in time, or never began.
 */
export async function withTemporaryServer<T>(
  options: TemporaryServerOptions & { readonly graceMs?: number },
  work: (server: LaunchedServer) => Promise<T>,
): Promise<T> {
  const { signal, graceMs = GRACE_MS } = options;
  const server = await startTemporaryServer(options);
  const patience = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => patience.reject(signal === undefined ? null : abortReason(signal)), graceMs);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    throwIfAborted(signal);
    return await Promise.race([work(server), patience.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    await server.stop();
  }
}

/** For the exit of this process, where nothing can be awaited: blocks for a second at most. */
function endNow(pid: number, path: string): void {
  try {
    process.kill(pid, "SIGQUIT");
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (let waited = 0; processRuns(pid) && waited < 1000; waited += 10) Atomics.wait(cell, 0, 0, 10);
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next temporary server removes what is left.
  }
}
