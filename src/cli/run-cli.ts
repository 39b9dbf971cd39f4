import { CommanderError } from "commander";
import type { Cli } from "./cli.ts";
import type { GlobalValues } from "./global-options.ts";
import { buildProgram, verbsFor } from "./program.ts";
import { chooseReporter, runVerb, viewContext } from "./run-verb.ts";
import { explainUsage } from "./usage.ts";
import type { VerbSpec } from "./verb.ts";
import { findVerb } from "./verbs.ts";
import { asGodwitError } from "./views/error.ts";
import { exitStatusOf } from "../core/error-codes.ts";
import { renderEnvelope } from "./json/envelope.ts";
import { ownVersion } from "./version.ts";

/** The options that decide how errors of the command line itself are told, read without a parser. */
function guessGlobals(argv: readonly string[]): GlobalValues {
  const end = argv.indexOf("--");
  const words = end === -1 ? argv : argv.slice(0, end);
  const logJson = words.includes("--log=json") || words[words.indexOf("--log") + 1] === "json";
  const colour =
    words.find((word) => word.startsWith("--color="))?.slice(8) ?? words[words.indexOf("--color") + 1];
  return {
    json: words.includes("--json"),
    verbose: words.includes("--verbose") || words.includes("-v"),
    ...(words.includes("--log") || words.includes("--log=json") ? { log: logJson ? "json" : "text" } : {}),
    ...(colour === "always" || colour === "never" ? { color: colour } : {}),
  };
}

/**
 * Understands a command line and runs its verb.
 * @param argv the words after `godwit`.
 * @returns the exit status; never throws, never ends the process.
 */
export async function runCli(argv: readonly string[], cli: Cli): Promise<number> {
  const { io } = cli;
  if (argv[0] === "__complete") {
    const { answerCompletion } = await import("./completion/answer.ts");
    return answerCompletion(argv.slice(1), io);
  }
  let exit = 0;
  const guessed = guessGlobals(argv);
  try {
    const out = viewContext(guessed, io, io.stdout);
    const run = async <T>(spec: VerbSpec<T>): Promise<void> => {
      const typed = program.args[0] ?? spec.verb;
      const verb = findVerb(typed);
      const remark =
        verb !== undefined && verb.name !== typed
          ? `\`godwit ${typed}\` is \`godwit ${verb.name}\``
          : undefined;
      exit = await runVerb(cli, program.opts<GlobalValues>(), spec, remark);
    };
    const program = await buildProgram({
      run,
      verbs: verbsFor(argv),
      style: out.style,
      width: out.width,
      writeHelp: (text) => io.stdout.write(text),
    });
    program.on("option:version", () => {
      throw new CommanderError(0, "commander.version", ownVersion());
    });
    try {
      await program.parseAsync([...argv], { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.code === "commander.version") {
        io.stdout.write(`${error.message}\n`);
        return 0;
      }
      if (error.code === "commander.helpDisplayed") return 0;
      // Nothing was asked for: the help was shown instead, and no work was done.
      if (error.code === "commander.help") return 2;
      throw explainUsage(error, program, argv);
    }
  } catch (thrown) {
    const error = asGodwitError(thrown, cli.signal);
    const first = argv.find((word) => !word.startsWith("-"));
    const verb = first === undefined ? "" : (findVerb(first)?.name ?? first);
    if (guessed.json === true) {
      io.stdout.write(renderEnvelope({ verb, runId: null, data: null, warnings: [], error }));
    }
    const reporter = chooseReporter(guessed, io);
    reporter.close();
    reporter.error(error);
    exit = exitStatusOf(error.code);
  }
  return exit;
}
