import { exitStatusOf } from "../core/error-codes.ts";
import { interrupted } from "../core/interrupt.ts";
import type { Io, OutputStream } from "./io.ts";
import { runCli } from "./run-cli.ts";
import { renderError, asGodwitError } from "./views/error.ts";
import { viewContext } from "./run-verb.ts";

/** What is not a terminal has neither `isTTY` nor `columns`. */
type ProcessStream = Omit<NodeJS.WriteStream, "isTTY" | "columns"> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** Wraps a stream of the process. A reader that went away (`| head`) ends the writing, not the work. */
function outputStream(stream: ProcessStream): OutputStream & { flush(): Promise<void> } {
  let gone = false;
  stream.on("error", () => {
    gone = true;
  });
  return {
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.isTTY === true ? (stream.columns ?? 0) : 0;
    },
    write(text) {
      if (!gone && text !== "") stream.write(text);
    },
    flush() {
      if (gone || stream.destroyed) return Promise.resolve();
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
  const stdout = outputStream(process.stdout);
  const stderr = outputStream(process.stderr);
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
    createGodwit: async (options) => {
      const { createGodwit } = await import("../api/create-godwit.ts");
      return createGodwit(options);
    },
  });
  await Promise.all([stdout.flush(), stderr.flush()]);
  return exit;
}
