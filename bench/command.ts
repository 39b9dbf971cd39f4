import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { BenchError } from "./bench-error.ts";

/** A program with its arguments; no shell is between. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Set on top of the few variables every child gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Give it the whole environment, as what downloads may need (certificates, proxies); never what is measured. */
  readonly wholeEnvironment?: boolean;
}

export interface RunOptions {
  /** Where its output goes: a file, since reading a pipe would take time from the two sides being measured. */
  readonly logFile: string;
  readonly signal: AbortSignal;
  /** After so many milliseconds it is killed. */
  readonly limitMs?: number;
}

const LIMIT_MS = 10 * 60_000;

/**
 * Runs a command to its end.
 * @returns milliseconds from before its start to its exit.
 * @throws BenchError with the end of its output when it fails or takes longer than the limit.
 */
export async function run(command: Command, options: RunOptions): Promise<number> {
  const { logFile, signal, limitMs = LIMIT_MS } = options;
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w");
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const begin = performance.now();
  let end = begin;
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...(command.wholeEnvironment === true ? process.env : bareEnvironment()), ...command.env },
    stdio: ["ignore", log, log],
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    killSignal: "SIGKILL",
  });
  child.once("exit", (status, killedBy) => {
    end = performance.now();
    resolve(status === 0 ? null : status === null ? `was ended by ${killedBy}` : `ended with ${status}`);
  });
  child.once("error", reject);
  try {
    const failure = await promise;
    if (failure === null) return end - begin;
    throw new BenchError(`${describe(command)} ${failure}:\n${tail(logFile)}`);
  } catch (error) {
    if (error instanceof BenchError) throw error;
    signal.throwIfAborted();
    const timedOut = error instanceof Error && error.name === "AbortError";
    const reason = timedOut ? `took longer than ${limitMs / 1000} s` : `could not run: ${String(error)}`;
    throw new BenchError(`${describe(command)} ${reason}\n${tail(logFile)}`);
  } finally {
    closeSync(log);
  }
}

/** Runs a command for what it prints, standard error included. */
export async function output(command: Command, options: RunOptions): Promise<string> {
  await run(command, options);
  return readFileSync(options.logFile, "utf8").trim();
}

/** The variables a program needs to work at all; PG*, NODE_OPTIONS and npm's own would change what is measured. */
function bareEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "TZ"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function describe({ file, args }: Command): string {
  const words = [basename(file), ...args].map((word) => word.replace(/^postgres(ql)?(\+\w+)?:\/\/\S+$/, "…"));
  return words.slice(0, 8).join(" ");
}

function tail(logFile: string): string {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  return lines
    .slice(-15)
    .map((line) => `  ${line.slice(0, 400)}`)
    .join("\n");
}
