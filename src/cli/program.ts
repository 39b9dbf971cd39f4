import { Command, Option } from "commander";
import { findVerb, VERBS, type VerbEntry } from "./verbs.ts";
import { GodwitHelp } from "./help-format.ts";
import { globalOptions, GROUP_TITLES, type OptionGroup } from "./global-options.ts";
import type { Style } from "./style.ts";
import { examples, type RunVerb } from "./verb.ts";

const GROUPS: readonly OptionGroup[] = ["files", "database", "locks", "output"];

export interface ProgramOptions {
  readonly run: RunVerb;
  /** Verbs that the command line may use; making all of them takes time. */
  readonly verbs: readonly VerbEntry[];
  readonly style: Style;
  readonly width: number;
  readonly writeHelp: (text: string) => void;
}

/**
 * The commander program: strict, it throws instead of ending the process, and prints nothing but help.
 */
export async function buildProgram(options: ProgramOptions): Promise<Command> {
  const { style } = options;
  const program = new Command("godwit");
  const describe = (command: Command) =>
    command
      .exitOverride()
      .helpOption("-h, --help", "show this help")
      .helpCommand(false)
      .configureOutput({ writeOut: options.writeHelp, writeErr: options.writeHelp, outputError: () => {} })
      .configureHelp({
        helpWidth: Math.min(options.width === 0 ? 100 : options.width, 110),
        styleTitle: (text) => style.bold(text),
        styleCommandText: (text) => style.cyan(text),
        styleSubcommandText: (text) => style.cyan(text),
        styleOptionText: (text) => style.cyan(text),
      });
  program.createHelp = () => Object.assign(new GodwitHelp(), program.configureHelp());
  describe(program)
    .description("Migrates PostgreSQL without stopping the services that use it.")
    .usage("<verb> [options]")
    .addHelpText(
      "after",
      examples([
        ["godwit init", "set up a project in this folder"],
        ["godwit up --embedded", "try it without installing PostgreSQL"],
        ["godwit status", "see what is applied and what is pending"],
        ["godwit help up", "everything about one verb"],
      ]),
    );
  const groups = globalOptions();
  for (const group of GROUPS) {
    for (const option of groups[group]) program.addOption(option.helpGroup(GROUP_TITLES[group]));
  }
  program.addOption(new Option("-V, --version", "print the version").helpGroup(GROUP_TITLES.output));

  for (const entry of options.verbs) {
    const command = describe(program.command(entry.name).helpGroup(entry.group))
      .summary(entry.summary)
      .description(`${entry.summary[0]!.toUpperCase()}${entry.summary.slice(1)}.`)
      .aliases([...entry.aliases]);
    command.createHelp = () => Object.assign(new GodwitHelp(), command.configureHelp());
    const { define } = await entry.load();
    define(command, options.run);
    for (const inner of command.commands) {
      describe(inner);
      inner.createHelp = () => Object.assign(new GodwitHelp(), inner.configureHelp());
    }
  }
  return program;
}

/** The verbs that a command line may use: one where its first word is a verb, else all. */
export function verbsFor(argv: readonly string[]): readonly VerbEntry[] {
  const first = argv[0] === undefined ? undefined : findVerb(argv[0]);
  return first === undefined || first.name === "help" ? VERBS : [first];
}
