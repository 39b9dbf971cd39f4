import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { monotonicMs } from "../../core/clock.ts";
import { sleep } from "../../core/interrupt.ts";
import { cannotRun, type Environment, serverEnvironment } from "./child-process.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import type { Binaries } from "./runtime-copy.ts";
import { type ServerUser, spawnIdentity } from "./server-user.ts";
import { stopPostmaster } from "./stop-postmaster.ts";

/** A server that recovers from a crash is given longer, as long as it says that it is starting. */
const START_LIMIT_MS = 60_000;
const RECOVERY_LIMIT_MS = 10 * 60_000;

export interface StartOptions {
  readonly binaries: Binaries;
  readonly dataDirectory: string;
  readonly user: ServerUser | null;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly env: Environment | undefined;
  readonly signal: AbortSignal | undefined;
}

export type StartOutcome =
  | { readonly pid: number }
  | { readonly pid: null; readonly obstacle: Obstacle | null; readonly log: string };

/** Why a start failed that may work a little later or elsewhere; `remains`: processes of a killed server are not gone yet. */
export type Obstacle = "port" | "remains";

/**
 * Starts a server once, detached from this process, and waits until it takes connections.
 * @returns its pid, or why it ended: what it wrote to its log, and what was in the way, if that is known.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when the program cannot be run at all; the signal's reason when
 * aborted. No process is left in either case.
 */
export async function startOnce(options: StartOptions): Promise<StartOutcome> {
  const args = ["-D", options.dataDirectory, "-p", String(options.port)];
  for (const [name, value] of Object.entries(options.settings)) args.push("-c", `${name}=${value}`);
  const log = await open(options.logFile, "a", 0o600);
  const { size: before } = await log.stat();
  try {
    const child = spawn(options.binaries.postgres, args, {
      cwd: options.binaries.directory,
      env: serverEnvironment(options.env ?? {}),
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
      windowsHide: true,
      ...spawnIdentity(options.user),
    });
    child.unref();
    if (await becomesReady(child, options)) return { pid: child.pid! };
  } finally {
    await log.close();
  }
  const said = (await readFile(options.logFile)).subarray(before).toString("utf8");
  return { pid: null, obstacle: obstacleIn(said), log: said };
}

/** Messages of src/backend/libpq/pqcomm.c and src/backend/utils/init/miscinit.c, in the C locale. */
function obstacleIn(log: string): Obstacle | null {
  if (/could not bind .*in use/.test(log)) return "port";
  return /pre-existing shared memory block .* is still in use/.test(log) ? "remains" : null;
}

/** true when the server reports that it is ready, false when it ended or did not get there in time. */
async function becomesReady(child: ChildProcess, options: StartOptions): Promise<boolean> {
  const end: { reached: boolean; error: Error | null } = { reached: false, error: null };
  child.once("exit", () => (end.reached = true));
  child.once("error", (error) => {
    end.reached = true;
    end.error = error;
  });
  const started = monotonicMs();
  let ready = false;
  try {
    while (!ready && !end.reached) {
      await sleep(5, options.signal);
      const file = await readPostmasterFile(options.dataDirectory);
      const ours = file !== null && file.pid === child.pid ? file : null;
      ready = ours?.status === "ready" || ours?.status === "standby";
      const limit = ours?.status === "starting" ? RECOVERY_LIMIT_MS : START_LIMIT_MS;
      if (monotonicMs() - started > limit) break;
    }
  } finally {
    if (!ready && !end.reached && child.pid !== undefined)
      await stopPostmaster(child.pid, AbortSignal.abort());
  }
  if (end.error !== null) throw cannotRun(options.binaries.postgres, end.error);
  return ready;
}
