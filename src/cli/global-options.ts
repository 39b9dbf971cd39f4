import { Option } from "commander";
import type { GodwitOptions, LockingOptions, VerbOptions } from "../api/types.ts";
import { shellWord } from "../core/shell-word.ts";
import type { Io } from "./io.ts";
import { collect, duration, oneOf, nonEmpty, withoutUndefined } from "./option-values.ts";
import type { ColourMode } from "./style.ts";

/** The values of the options that every verb takes, as commander hands them over. */
export interface GlobalValues {
  readonly config?: string;
  readonly stream?: readonly string[];
  readonly target?: readonly string[];
  readonly database?: string;
  readonly directUrl?: string;
  readonly migrations?: string;
  readonly embedded?: boolean;
  readonly historySchema?: string;
  readonly timeout?: number;
  readonly connectWait?: number;
  readonly lockWait?: number;
  readonly reconnectWait?: number;
  readonly lockTimeout?: number;
  readonly statementTimeout?: number;
  readonly maxBlocking?: number;
  readonly patientTimeout?: number;
  readonly cancelBlockersAfter?: number;
  readonly terminateBlockersAfter?: number;
  readonly json?: boolean;
  readonly log?: "json" | "text";
  readonly color?: ColourMode;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  /** False for `--no-progress`. */
  readonly progress?: boolean;
}

/** Which options the help of a verb lists; all of them are accepted everywhere. */
export type OptionGroup = "files" | "database" | "locks" | "output";

export const GROUP_TITLES: Readonly<Record<OptionGroup, string>> = {
  files: "What to migrate:",
  database: "Which database:",
  locks: "Locks and limits:",
  output: "Output:",
};

function option<T>(flags: string, description: string, read?: (value: string, before: T) => T): Option {
  const made = new Option(flags, description);
  return read === undefined ? made : made.argParser(read);
}

function choice(flag: string, description: string, words: readonly string[]): Option {
  return new Option(`${flag} <${words.join("|")}>`, description).choices(words).argParser(oneOf(flag, words));
}

/** New option objects each time, since commander writes into them. */
export function globalOptions(): Record<OptionGroup, readonly Option[]> {
  return {
    files: [
      option(
        "--config <file>",
        "configuration file (default: godwit.config.* found upward)",
        nonEmpty("--config"),
      ),
      option("--stream <name>", "only this stream; may be repeated", collect(nonEmpty("--stream"))),
      option("--target <id>", "only this target; may be repeated", collect(nonEmpty("--target"))),
      option("--migrations <dir>", "folder of migrations (default: ./migrations)", nonEmpty("--migrations")),
    ],
    database: [
      option(
        "--database <url>",
        "connection string (default: DATABASE_URL, PG*, DB_*)",
        nonEmpty("--database"),
      ),
      option("--direct-url <url>", "the same server past a pooler", nonEmpty("--direct-url")),
      option("--embedded", "use an own PostgreSQL under .godwit/postgres"),
      option(
        "--history-schema <name>",
        "schema of the history (default: godwit)",
        nonEmpty("--history-schema"),
      ),
      option(
        "--connect-wait <duration>",
        "try an unreachable database again for so long",
        duration("--connect-wait"),
      ),
      option("--timeout <duration>", "end the whole command after so long", duration("--timeout")),
    ],
    locks: [
      option(
        "--lock-wait <duration>",
        "wait so long for another run to finish (default: 10min)",
        duration("--lock-wait"),
      ),
      option(
        "--reconnect-wait <duration>",
        "go on by itself for so long after a lost connection (default: 1min)",
        duration("--reconnect-wait"),
      ),
      option(
        "--lock-timeout <duration>",
        "PostgreSQL's lock_timeout (default: 500ms)",
        duration("--lock-timeout"),
      ),
      option(
        "--statement-timeout <duration>",
        "PostgreSQL's statement_timeout (default: none)",
        duration("--statement-timeout"),
      ),
      option(
        "--max-blocking <duration>",
        "cancel a migration for which others wait so long (default: 2s; 0: never)",
        duration("--max-blocking"),
      ),
      option(
        "--patient-timeout <duration>",
        "limit for CONCURRENTLY and VALIDATE CONSTRAINT (default: 1h; 0: none)",
        duration("--patient-timeout"),
      ),
      option(
        "--cancel-blockers-after <duration>",
        "cancel sessions that keep a migration from a lock for so long (default: never)",
        duration("--cancel-blockers-after"),
      ),
      option(
        "--terminate-blockers-after <duration>",
        "end sessions that keep a migration from a lock for so long (default: never)",
        duration("--terminate-blockers-after"),
      ),
    ],
    output: [
      option("--json", "print one JSON document and nothing else on stdout"),
      choice("--log", "how progress is told on stderr (default: text)", ["text", "json"]),
      choice("--color", "colour (default: auto, on a terminal)", ["auto", "always", "never"]),
      option("--no-progress", "no line that is redrawn, on a terminal either"),
      option("-q, --quiet", "errors only"),
      option("-v, --verbose", "more detail"),
    ],
  };
}

/** What the engine is made from. */
export function engineOptions(values: GlobalValues, io: Io): GodwitOptions {
  const streams = chosenStreams(values);
  const replaced = [values.database, values.directUrl, values.migrations].some(
    (value) => value !== undefined,
  );
  return withoutUndefined({
    cwd: io.cwd,
    env: io.env,
    config: values.config,
    database: values.database,
    directUrl: values.directUrl,
    migrations: values.migrations,
    embedded: values.embedded,
    historySchema: values.historySchema,
    stream: replaced && streams.length === 1 ? streams[0] : undefined,
    lockTimeoutMs: values.lockTimeout,
    statementTimeoutMs: values.statementTimeout,
    maxBlockingMs: values.maxBlocking,
    patientTimeoutMs: values.patientTimeout,
    cancelBlockersAfterMs: values.cancelBlockersAfter,
    terminateBlockersAfterMs: values.terminateBlockersAfter,
  });
}

/** A target's id is its stream's name as long as there are no tenants. */
function chosenStreams(values: GlobalValues): string[] {
  return [...new Set([...(values.stream ?? []), ...(values.target ?? [])])];
}

/** What every verb of the engine takes. */
export function verbOptions(values: GlobalValues, signal: AbortSignal): VerbOptions {
  const streams = chosenStreams(values);
  return withoutUndefined({
    signal,
    streams: streams.length === 0 ? undefined : streams,
    timeoutMs: values.timeout,
    connectWaitMs: values.connectWait,
  });
}

/** What verbs take that hold Godwit's lock. */
export function lockingOptions(values: GlobalValues, signal: AbortSignal): LockingOptions {
  return {
    ...verbOptions(values, signal),
    ...withoutUndefined({ lockWaitMs: values.lockWait, reconnectWaitMs: values.reconnectWait }),
  };
}

/**
 * A command line for the user to type next that reaches the same files and database as this one did.
 * A connection string given as a flag is left to the user to repeat, since it may hold a password.
 */
export function nextCommand(values: GlobalValues, rest: string): string {
  const flags: string[] = [];
  if (values.config !== undefined) flags.push("--config", shellWord(values.config));
  if (values.migrations !== undefined) flags.push("--migrations", shellWord(values.migrations));
  if (values.embedded === true) flags.push("--embedded");
  if (values.database !== undefined) flags.push("--database …");
  if (values.historySchema !== undefined) flags.push("--history-schema", shellWord(values.historySchema));
  for (const stream of chosenStreams(values)) flags.push("--stream", shellWord(stream));
  return ["godwit", rest, ...flags].join(" ");
}
