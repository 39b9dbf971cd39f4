import { spawn } from "node:child_process";
import { GodwitError } from "../../core/error.ts";
import { abortReason, throwIfAborted } from "../../core/interrupt.ts";
import { type ServerUser, spawnIdentity } from "./server-user.ts";
import { messageOf } from "./system-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface RunOptions {
  /** A folder the account may enter: a program started in one it may not fails in obscure ways. */
  readonly cwd: string;
  readonly limitMs: number;
  readonly user?: ServerUser | null;
  /** Left out: the environment of this process. */
  readonly env?: Environment;
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  /** null: ended by a signal, by the limit for example. */
  readonly status: number | null;
  /** Standard output and error as they came, the last 64 KB. */
  readonly output: string;
  readonly timedOut: boolean;
}

const OUTPUT_LIMIT = 64 * 1024;

/**
 * Runs a program to its end, without a shell. A non-zero status is a result, not an error.
 * @throws the signal's reason when aborted (the program is killed first); the error of spawn(2) when it
 * cannot be started at all.
 */
export async function runChild(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  throwIfAborted(options.signal);
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...spawnIdentity(options.user ?? null),
  });
  let output = "";
  let timedOut = false;
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-OUTPUT_LIMIT);
  };
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.limitMs);
  options.signal?.addEventListener("abort", kill);
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.once("error", reject);
  child.once("close", (status) => resolve({ status, output, timedOut }));
  try {
    const result = await promise;
    if (options.signal?.aborted === true) throw abortReason(options.signal);
    return result;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", kill);
  }
}

/** The error for a program of PostgreSQL that the system refuses to start. */
export function cannotRun(program: string, error: unknown): GodwitError {
  return new GodwitError("EMBEDDED_UNAVAILABLE", `${program} cannot be run: ${messageOf(error)}`, {
    hint: "on Linux the binaries need glibc and a folder not mounted noexec; else set DATABASE_URL to a server",
    cause: error,
  });
}

/**
 * The environment for PostgreSQL's own programs: the C locale, and nothing of ours but what the system needs.
 * PG* variables of the caller would otherwise steer a server that has nothing to do with them.
 */
export function serverEnvironment(env: Environment): Record<string, string> {
  const kept = ["PATH", "TZ", "SystemRoot", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR"];
  const result: Record<string, string> = { LC_ALL: "C" };
  for (const name of kept) {
    const value = env[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}
