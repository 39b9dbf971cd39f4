import type { Command } from "commander";
import type { GodwitError } from "../core/error.ts";
import type { Session } from "./session.ts";
import type { Style } from "./style.ts";

/** How text for people is made from a result. */
export interface ViewContext {
  /** Colours of the stream the text goes to. */
  readonly style: Style;
  /** Columns of the terminal; 0: no limit. */
  readonly width: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly cwd: string;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** A command line to type next, with the flags that reach the same database: `next("up")`. */
  next(rest: string): string;
}

/** One verb at work: what to call, and what to show of its result. */
export interface VerbSpec<T> {
  /** As it stands in the envelope's `verb`. */
  readonly verb: string;
  /** Whether the history records the run under its id. */
  readonly recorded?: boolean;
  work(session: Session): Promise<T>;
  /** Data for stdout as text, with a trailing newline; nothing with `--json`. */
  view?(result: T, context: ViewContext): string;
  /** What to say on stderr at the end: totals, the next command. Also of a run that failed half-way. */
  closing?(result: T, context: ViewContext): string;
  /** The error that a result amounts to, e.g. pending migrations under `--exit-code`; the view must say it by itself. */
  outcome?(result: T): GodwitError | null;
}

export type RunVerb = <T>(spec: VerbSpec<T>) => Promise<void>;

/** Declares the arguments, flags, examples and action of a verb. */
export type DefineVerb = (command: Command, run: RunVerb) => void;

/** The examples at the end of a verb's help. */
export function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  $ ${command.padEnd(width)}  ${what}`).join("\n")}\n`;
}
