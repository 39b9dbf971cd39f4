import type { Command, CommanderError } from "commander";
import type { GodwitError } from "../core/error.ts";
import { suggestion } from "./did-you-mean.ts";
import { usageError } from "./option-values.ts";
import { VERBS } from "./verbs.ts";

function optionWords(command: Command): string[] {
  const words: string[] = ["--help"];
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options)
      if (typeof option.long === "string" && !option.hidden) words.push(option.long);
  }
  return words;
}

/** The command that a command line had got to when it was not understood. */
function reached(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((inner) => inner.name() === word || inner.aliases().includes(word));
    if (next !== undefined) command = next;
  }
  return command;
}

function commandLine(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

/** A word that is no verb. */
export function unknownVerb(word: string): GodwitError {
  const words = VERBS.flatMap(({ name, aliases }) => [name, ...aliases]);
  const near = suggestion(word, words);
  return usageError(`"${word}" is not a verb of godwit`, near ?? "`godwit help` lists the verbs");
}

/** Commander's complaint in our words: what was not understood, and what was probably meant. */
export function explainUsage(error: CommanderError, program: Command, argv: readonly string[]): GodwitError {
  const command = reached(program, argv);
  const line = commandLine(command);
  const help = `\`${line} --help\` shows what it takes`;
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  switch (error.code) {
    case "commander.unknownCommand":
      if (command === program) return unknownVerb(quoted);
      return usageError(
        `${line}: "${quoted}" is not one of ${command.commands.map((inner) => inner.name()).join(", ")}`,
        suggestion(
          quoted,
          command.commands.map((inner) => inner.name()),
        ) ?? help,
      );
    case "commander.unknownOption": {
      const flag = quoted.split("=")[0]!;
      return usageError(`${line}: unknown option ${flag}`, suggestion(flag, optionWords(command)) ?? help);
    }
    case "commander.optionMissingArgument":
      return usageError(
        `${line}: ${quoted.split(/[ ,]+/).find((word) => word.startsWith("--")) ?? quoted} needs a value`,
        help,
      );
    case "commander.missingArgument":
      return usageError(`${line}: <${quoted}> is missing`, help);
    case "commander.excessArguments": {
      const extra = command.args.slice(command.registeredArguments.length);
      return usageError(
        `${line}: too many arguments${extra.length === 0 ? "" : `: ${extra.map((word) => `"${word}"`).join(" ")}`}`,
        help,
      );
    }
    case "commander.conflictingOption": {
      const flags = [...error.message.matchAll(/--[\w-]+/g)].map((match) => match[0]);
      return usageError(`${line}: ${flags.join(" and ")} exclude each other`, help);
    }
    default:
      return usageError(`${line}: ${error.message.replace(/^error: /, "").replace(/\n[^]*/, "")}`, help);
  }
}
