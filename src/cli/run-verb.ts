import { exitStatusOf } from "../core/error-codes.ts";
import type { GodwitError } from "../core/error.ts";
import type { Cli } from "./cli.ts";
import { type GlobalValues, nextCommand } from "./global-options.ts";
import type { Io, OutputStream } from "./io.ts";
import { renderEnvelope } from "./json/envelope.ts";
import { ndjsonReporter } from "./reporters/ndjson.ts";
import { plainReporter } from "./reporters/plain.ts";
import type { Reporter } from "./reporters/reporter.ts";
import { silentReporter } from "./reporters/silent.ts";
import { terminalReporter } from "./reporters/terminal.ts";
import { Session } from "./session.ts";
import { styleFor, wantsColour } from "./style.ts";
import type { VerbSpec, ViewContext } from "./verb.ts";
import { asGodwitError } from "./views/error.ts";

/** How text for one of the two streams is made. */
export function viewContext(globals: GlobalValues, io: Io, stream: OutputStream): ViewContext {
  return {
    style: styleFor(wantsColour(globals.color ?? "auto", stream, io.env)),
    width: stream.isTTY ? stream.columns : 0,
    now: io.now(),
    cwd: io.cwd,
    verbose: globals.verbose === true,
    quiet: globals.quiet === true,
    next: (rest) => nextCommand(globals, rest),
  };
}

/**
 * The reporter that the options and the terminal ask for: NDJSON with `--log json`, none with `--json`,
 * a line that is redrawn on a terminal, plain lines otherwise.
 */
export function chooseReporter(globals: GlobalValues, io: Io): Reporter {
  if (globals.log === "json") return ndjsonReporter(io.stderr, io.now);
  if (globals.json === true && globals.log === undefined) return silentReporter();
  const context = viewContext(globals, io, io.stderr);
  const options = { out: io.stderr, style: context.style, context, quiet: context.quiet, now: io.now };
  const redraw = io.stderr.isTTY && io.env.TERM !== "dumb" && globals.progress !== false && !context.quiet;
  return redraw ? terminalReporter(options) : plainReporter(options);
}

/**
 * Runs a verb and prints what it has to say: data to stdout, the rest to stderr, or one JSON document.
 * @returns the exit status.
 */
export async function runVerb<T>(
  cli: Cli,
  globals: GlobalValues,
  spec: VerbSpec<T>,
  remark?: string,
): Promise<number> {
  const { io } = cli;
  const reporter = chooseReporter(globals, io);
  if (remark !== undefined) reporter.remark(remark);
  const stopping = () => reporter.remark("stopping in good order; once more to leave at once");
  cli.signal.addEventListener("abort", stopping, { once: true });
  const session = new Session(cli, globals, reporter);

  let result: T | undefined;
  let thrown: GodwitError | null = null;
  try {
    result = await spec.work(session);
  } catch (error) {
    thrown = asGodwitError(error, cli.signal);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an error's result has the shape of the verb's
    result = thrown.result as T | undefined;
  }
  cli.signal.removeEventListener("abort", stopping);
  reporter.close();
  const amounts = result === undefined || thrown !== null ? null : (spec.outcome?.(result) ?? null);
  const error = thrown ?? amounts;

  if (globals.json === true) {
    const { warnings } = session;
    const runId = spec.recorded === true ? session.runId : null;
    io.stdout.write(renderEnvelope({ verb: spec.verb, runId, data: result, warnings, error }));
    if (thrown !== null) reporter.error(thrown);
  } else {
    if (result !== undefined && thrown === null && spec.view !== undefined) {
      io.stdout.write(spec.view(result, viewContext(globals, io, io.stdout)));
    }
    if (thrown !== null) reporter.error(thrown);
    if (
      result !== undefined &&
      spec.closing !== undefined &&
      globals.quiet !== true &&
      globals.log !== "json"
    ) {
      io.stderr.write(spec.closing(result, viewContext(globals, io, io.stderr)));
    }
  }
  return error === null ? 0 : exitStatusOf(error.code);
}
