import type { Command, Option } from "commander";
import { findVerb } from "../verbs.ts";

/** A word that may stand next, and what it means. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What the shell is to offer: words of ours, or its own completion of paths. */
export interface Completion {
  readonly words: readonly Candidate[];
  readonly paths: "files" | "folders" | null;
}

/** Values that only the project's files know; each is read when it is needed. */
export interface DynamicValues {
  migrations(): Promise<readonly Candidate[]>;
  /** With `<stream>/` in front where there are several streams. */
  qualifiedMigrations(): Promise<readonly Candidate[]>;
  streams(): Promise<readonly Candidate[]>;
}

const NOTHING: Completion = { words: [], paths: null };
const REPAIR_ACTIONS = [
  "accept-checksum",
  "forget",
  "mark-applied",
  "mark-not-applied",
  "mark-step-applied",
  "mark-step-not-applied",
];
const DURATIONS = ["30s", "1min", "5min", "1h"];

const plain = (values: readonly string[]): Candidate[] => values.map((value) => ({ value, description: "" }));
const words = (candidates: readonly Candidate[]): Completion => ({ words: candidates, paths: null });

async function optionValues(option: Option, dynamic: DynamicValues): Promise<Completion> {
  if (option.argChoices !== undefined) return words(plain(option.argChoices));
  switch (option.long) {
    case "--config":
      return { words: [], paths: "files" };
    case "--migrations":
      return { words: [], paths: "folders" };
    case "--stream":
    case "--target":
      return words(await dynamic.streams());
    case "--to":
    case "--id":
      return words(await dynamic.migrations());
    case "--for":
    case "--requires":
      return words(await dynamic.qualifiedMigrations());
    case undefined:
    default:
      return option.flags.includes("<duration>") ? words(plain(DURATIONS)) : NOTHING;
  }
}

async function argumentValues(
  verb: string,
  place: number,
  command: Command,
  dynamic: DynamicValues,
): Promise<Completion> {
  switch (verb) {
    case "baseline":
      return place === 0 ? words(await dynamic.migrations()) : NOTHING;
    case "repair":
      return words(place === 0 ? plain(REPAIR_ACTIONS) : await dynamic.migrations());
    case "completion":
      return place === 0 ? words(plain(["bash", "zsh", "fish", "powershell"])) : NOTHING;
    case "help":
      return place === 0 ? words(verbs(command.parent!)) : NOTHING;
    case "init":
      return place === 0 ? { words: [], paths: "folders" } : NOTHING;
    default:
      return NOTHING;
  }
}

function verbs(command: Command): Candidate[] {
  return command.commands.map((inner) => ({
    value: inner.name(),
    description: inner.summary() || inner.description(),
  }));
}

function options(command: Command, used: ReadonlySet<string>): Candidate[] {
  const found: Candidate[] = [];
  for (const option of [...command.options, ...command.createHelp().visibleGlobalOptions(command)]) {
    if (typeof option.long !== "string") continue;
    const again = option.description.includes("may be repeated");
    if (again || !used.has(option.long)) found.push({ value: option.long, description: option.description });
  }
  return [...found, { value: "--help", description: "show this help" }];
}

function optionOf(command: Command, word: string): Option | undefined {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const found = at.options.find((option) => option.long === word || option.short === word);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * What may stand next on a command line.
 * @param line the words after `godwit`; the last is the one being typed and may be empty.
 */
export async function complete(
  line: readonly string[],
  program: Command,
  dynamic: DynamicValues,
): Promise<Completion> {
  const typed = line.at(-1) ?? "";
  const used = new Set<string>();
  let command = program;
  let place = 0;
  let pending: Option | undefined;
  for (const word of line.slice(0, -1)) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (word.startsWith("-") && word !== "-") {
      const option = optionOf(command, word.split("=")[0]!);
      if (typeof option?.long === "string") used.add(option.long);
      if (option?.required === true && !word.includes("=")) pending = option;
    } else {
      const name = command === program ? (findVerb(word)?.name ?? word) : word;
      const inner = command.commands.find((candidate) => candidate.name() === name);
      if (inner === undefined) place += 1;
      else command = inner;
    }
  }
  const assigned = /^(--[\w-]+)=(.*)$/.exec(typed);
  if (assigned !== null) {
    const option = optionOf(command, assigned[1]!);
    if (option === undefined) return NOTHING;
    const values = await optionValues(option, dynamic);
    return filtered(
      words(
        values.words.map(({ value, description }) => ({ value: `${assigned[1]}=${value}`, description })),
      ),
      typed,
    );
  }
  if (pending !== undefined) return filtered(await optionValues(pending, dynamic), typed);
  if (typed.startsWith("-")) return filtered(words(options(command, used)), typed);
  if (command.commands.length > 0) return filtered(words(place === 0 ? verbs(command) : []), typed);
  return filtered(await argumentValues(command.name(), place, command, dynamic), typed);
}

function filtered(completion: Completion, typed: string): Completion {
  return { ...completion, words: completion.words.filter(({ value }) => value.startsWith(typed)) };
}
