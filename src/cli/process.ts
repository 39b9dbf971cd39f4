import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import { createGodwit } from "../api/create-godwit.ts";
import { exitStatusOf } from "../core/error-codes.ts";
import { interrupted } from "../core/interrupt.ts";
import type { Io, OutputStream } from "./io.ts";
import { runCli } from "./run-cli.ts";
import { renderError, asGodwitError } from "./views/error.ts";
import { viewContext } from "./run-verb.ts";

/** As `isatty`, whose module takes a while to load; the output of a pipeline shows without it that it is none. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && isatty(fd);
  } catch {
    return false;
  }
}

/**
 * Wraps a stream of the process. It is made at the first writing only: a run that says nothing does not pay for it.
 * A reader that went away (`| head`) ends the writing, not the work.
 */
function outputStream(name: "stdout" | "stderr"): OutputStream & { flush(): Promise<void> } {
  const isTTY = isTerminal(name === "stdout" ? 1 : 2);
  let opened: NodeJS.WriteStream | null = null;
  let gone = false;
  const open = (): NodeJS.WriteStream => {
    if (opened !== null) return opened;
    opened = process[name];
    opened.on("error", () => {
      gone = true;
    });
    return opened;
  };
  return {
    isTTY,
    get columns() {
      return isTTY ? (open().columns ?? 0) : 0;
    },
    write(text) {
      if (!gone && text !== "") open().write(text);
    },
    flush() {
      const stream = opened;
      if (stream === null || gone || stream.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        stream.once("error", () => resolve());
        stream.write("", () => resolve());
      });
    },
  };
}

/**
 * Runs a command line in this process: its streams, environment and signals.
 * The first SIGINT or SIGTERM stops the work in good order, a second one ends the process at once.
 * @param leave ends the process at once.
 * @returns the exit status, after everything was written.
 */
export async function runProcess(argv: readonly string[], leave: (status: number) => never): Promise<number> {
  const stdout = outputStream("stdout");
  const stderr = outputStream("stderr");
  const io: Io = { stdout, stderr, env: process.env, cwd: process.cwd(), now: Date.now };
  const controller = new AbortController();

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const reason = interrupted(signal);
      if (controller.signal.aborted) leave(exitStatusOf(reason.code));
      controller.abort(reason);
    });
  }
  const defect = (thrown: unknown) => {
    const error = asGodwitError(thrown);
    stderr.write(renderError(error, viewContext({ verbose: argv.includes("--verbose") }, io, stderr)));
    leave(exitStatusOf(error.code));
  };
  process.on("uncaughtException", defect);
  process.on("unhandledRejection", defect);

  const exit = await runCli(argv, {
    io,
    signal: controller.signal,
    createGodwit,
  });
  await Promise.all([stdout.flush(), stderr.flush()]);
  return exit;
}
