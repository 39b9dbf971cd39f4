import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import { beforeParser } from "../core/before-parser.ts";
import { exitStatusOf } from "../core/error-codes.ts";
import { interrupted } from "../core/interrupt.ts";
import type { Io, OutputStream } from "./io.ts";
import { runCli } from "./run-cli.ts";
import { renderError, asGodwitError } from "./views/error.ts";
import { viewContext } from "./run-verb.ts";
import { compileWasmOnce } from "./compile-flags.ts";

/** As `isatty`, whose module takes a while to load; the output of a pipeline shows without it that it is none. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && isatty(fd);
  } catch {
    return false;
  }
}

interface ProcessStream extends OutputStream {
  /** The stream that may lead to the same file: what was written to it earlier leaves first. */
  beside: ProcessStream | null;
  /** Hands what waits to the system. */
  writeOut(): void;
  /** Resolves once everything is written. */
  flush(): Promise<void>;
}

/**
 * Wraps a stream of the process. It is made at the first writing only: a run that says nothing does not pay for it.
 * A reader that went away (`| head`) ends the writing, not the work.
 */
function outputStream(name: "stdout" | "stderr"): ProcessStream {
  const isTTY = isTerminal(name === "stdout" ? 1 : 2);
  let opened: NodeJS.WriteStream | null = null;
  let gone = false;
  let waiting = "";
  const writeOut = (): void => {
    const text = waiting;
    waiting = "";
    if (!gone && text !== "") open().write(text);
  };
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
    beside: null,
    get columns() {
      return isTTY ? (open().columns ?? 0) : 0;
    },
    write(text) {
      this.beside?.writeOut();
      // Lines that come in one turn of the event loop leave in one write; each costs a system call otherwise.
      if (waiting === "" && !isTTY) setImmediate(writeOut);
      waiting += text;
      if (isTTY) writeOut();
    },
    writeOut,
    flush() {
      writeOut();
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
  [stdout.beside, stderr.beside] = [stderr, stdout];
  process.on("exit", () => {
    stdout.writeOut();
    stderr.writeOut();
  });
  const io: Io = { stdout, stderr, env: process.env, cwd: process.cwd(), now: Date.now };
  const controller = new AbortController();
  beforeParser(compileWasmOnce);

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
    createGodwit: async (options) => {
      const { createGodwit } = await import("../api/create-godwit.ts");
      return createGodwit(options);
    },
  });
  await Promise.all([stdout.flush(), stderr.flush()]);
  return exit;
}
