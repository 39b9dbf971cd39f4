import { type Command, Help, type Option } from "commander";
import { GROUP_TITLES } from "./global-options.ts";
import { VERBS } from "./verbs.ts";

/** The verb that a command is, or belongs to; the program for the program. */
function verbCommand(command: Command): Command {
  let verb = command;
  for (let up = verb.parent; up !== null && up.parent !== null; up = verb.parent) verb = up;
  return verb;
}

/**
 * Help in the order in which it is read: verbs first, then a verb's own options, then those global options that
 * mean something to the verb. The words of other tools are understood but not listed.
 */
export class GodwitHelp extends Help {
  override showGlobalOptions = true;

  override visibleGlobalOptions(command: Command): Option[] {
    const verb = verbCommand(command);
    const groups = VERBS.find(({ name }) => name === verb.name())?.options ?? [];
    const shown = new Set(groups.map((group) => GROUP_TITLES[group]));
    return super
      .visibleGlobalOptions(command)
      .filter(({ helpGroupHeading, long }) => shown.has(helpGroupHeading ?? "") && long !== "--version");
  }

  override subcommandTerm(command: Command): string {
    return command.name();
  }

  override commandUsage(command: Command): string {
    return super.commandUsage(command).replace(`|${command.alias()}`, "").replace("[command]", "<verb>");
  }

  /** The words to choose from stand in the flags. */
  override optionDescription(option: Option): string {
    return option.description;
  }

  override formatHelp(command: Command, helper: Help): string {
    const width = helper.padWidth(command, helper);
    const section = <T>(
      heading: string,
      entries: readonly T[],
      term: (entry: T) => string,
      about: (entry: T) => string,
    ) =>
      entries.length === 0
        ? []
        : [
            helper.styleTitle(heading),
            ...entries.map((entry) => helper.formatItem(term(entry), width, about(entry), helper)),
            "",
          ];
    const options = (heading: string, entries: readonly Option[]) =>
      section(
        heading,
        entries,
        (entry) => helper.styleOptionTerm(helper.optionTerm(entry)),
        (entry) => helper.optionDescription(entry),
      );
    const own = Map.groupBy(
      helper.visibleOptions(command),
      (option) => option.helpGroupHeading ?? "Options:",
    );
    const inherited = Map.groupBy(
      helper.visibleGlobalOptions(command),
      (option) => option.helpGroupHeading ?? "",
    );
    const verbs = Map.groupBy(helper.visibleCommands(command), (inner) => inner.helpGroup() || "Verbs:");
    return [
      `${helper.styleTitle("Usage:")} ${helper.styleUsage(helper.commandUsage(command))}`,
      "",
      helper.commandDescription(command),
      "",
      ...[...verbs].flatMap(([heading, entries]) =>
        section(
          heading,
          entries,
          (entry) => helper.styleSubcommandTerm(helper.subcommandTerm(entry)),
          (entry) => helper.subcommandDescription(entry),
        ),
      ),
      ...section(
        "Arguments:",
        helper.visibleArguments(command),
        (entry) => helper.styleArgumentTerm(helper.argumentTerm(entry)),
        (entry) => entry.description,
      ),
      ...[...own].flatMap(([heading, entries]) => options(heading, entries)),
      ...[...inherited].flatMap(([heading, entries]) => options(heading, entries)),
    ].join("\n");
  }
}
