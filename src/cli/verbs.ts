import type { OptionGroup } from "./global-options.ts";
import type { DefineVerb } from "./verb.ts";

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  /** Heading in the list of all verbs. */
  readonly group: string;
  /** The words of other tools for the same. */
  readonly aliases: readonly string[];
  /** Global options that its help lists. */
  readonly options: readonly OptionGroup[];
  load(): Promise<{ readonly define: DefineVerb }>;
}

const BEGIN = "Begin:";
const CHANGE = "Change a database:";
const LOOK = "Look, changing nothing:";
const MEND = "Take over and mend:";
const MORE = "More:";
const RUNS: readonly OptionGroup[] = ["files", "database", "locks", "output"];
const READS: readonly OptionGroup[] = ["files", "database", "output"];

/** Every verb, in the order of the help. Each is loaded only when it is used: starting up is part of every run. */
export const VERBS: readonly VerbEntry[] = [
  {
    name: "init",
    summary: "set up a project: a configuration and a first migration",
    group: BEGIN,
    aliases: [],
    options: ["output"],
    load: () => import("./commands/init.ts"),
  },
  {
    name: "new",
    summary: "create a migration file",
    group: BEGIN,
    aliases: ["create", "make"],
    options: ["files", "output"],
    load: () => import("./commands/new.ts"),
  },
  {
    name: "demo",
    summary: "watch a shop's database being migrated on a throw-away server",
    group: BEGIN,
    aliases: [],
    options: ["output"],
    load: () => import("./commands/demo.ts"),
  },
  {
    name: "dev",
    summary: "start, stop or show the project's own PostgreSQL",
    group: BEGIN,
    aliases: [],
    options: ["files", "output"],
    load: () => import("./commands/dev.ts"),
  },
  {
    name: "up",
    summary: "apply what is pending",
    group: CHANGE,
    aliases: ["migrate", "deploy", "upgrade", "apply"],
    options: RUNS,
    load: () => import("./commands/up.ts"),
  },
  {
    name: "down",
    summary: "take back what was applied last",
    group: CHANGE,
    aliases: ["downgrade", "revert"],
    options: RUNS,
    load: () => import("./commands/down.ts"),
  },
  {
    name: "redo",
    summary: "take back what was applied last and apply it again",
    group: CHANGE,
    aliases: [],
    options: RUNS,
    load: () => import("./commands/redo.ts"),
  },
  {
    name: "status",
    summary: "what is applied, pending, failed or changed",
    group: LOOK,
    aliases: ["info", "current", "heads"],
    options: READS,
    load: () => import("./commands/status.ts"),
  },
  {
    name: "plan",
    summary: "the exact SQL that up or down would run",
    group: LOOK,
    aliases: [],
    options: RUNS,
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "history",
    summary: "what was done to a database, by whom and when",
    group: LOOK,
    aliases: ["log"],
    options: READS,
    load: () => import("./commands/history.ts"),
  },
  {
    name: "graph",
    summary: "which migration requires which",
    group: LOOK,
    aliases: [],
    options: READS,
    load: () => import("./commands/graph.ts"),
  },
  {
    name: "verify",
    summary: "prove that log and applied files are as they were",
    group: LOOK,
    aliases: [],
    options: READS,
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "wait",
    summary: "wait until a database is there and migrated",
    group: LOOK,
    aliases: [],
    options: READS,
    load: () => import("./commands/wait.ts"),
  },
  {
    name: "baseline",
    summary: "adopt an existing database: mark migrations as applied",
    group: MEND,
    aliases: ["stamp"],
    options: RUNS,
    load: () => import("./commands/baseline.ts"),
  },
  {
    name: "repair",
    summary: "settle what only a person can decide",
    group: MEND,
    aliases: ["resolve"],
    options: RUNS,
    load: () => import("./commands/repair.ts"),
  },
  {
    name: "lock",
    summary: "who holds Godwit's lock and who blocks whom; release it",
    group: MEND,
    aliases: [],
    options: READS,
    load: () => import("./commands/lock.ts"),
  },
  {
    name: "completion",
    summary: "print the completion script of a shell",
    group: MORE,
    aliases: [],
    options: ["output"],
    load: () => import("./commands/completion.ts"),
  },
  {
    name: "version",
    summary: "print the version",
    group: MORE,
    aliases: [],
    options: ["output"],
    load: () => import("./commands/version.ts"),
  },
  {
    name: "help",
    summary: "explain a verb",
    group: MORE,
    aliases: [],
    options: [],
    load: () => import("./commands/help.ts"),
  },
];

/** The verb a word stands for, aliases included. */
export function findVerb(word: string): VerbEntry | undefined {
  return VERBS.find(({ name, aliases }) => name === word || aliases.includes(word));
}
