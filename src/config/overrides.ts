import { resolve } from "node:path";
import { GodwitError } from "../core/error.ts";
import { closest } from "../core/similar.ts";
import { deepFreeze } from "./freeze.ts";
import { historySchemaFault } from "./history-schema.ts";
import type { Config, DatabaseSource, StreamConfig } from "./types.ts";

/** What flags of the command line, or options of the library, say instead of the configuration. */
export interface ConfigOverrides {
  /** A libpq connection string, taken as it is; or `embedded`. */
  readonly database?: string | undefined;
  readonly directUrl?: string | undefined;
  /** Folder of migrations; relative to the working folder. */
  readonly migrations?: string | undefined;
  readonly embedded?: boolean | undefined;
  /** Milliseconds, above zero. */
  readonly lockTimeoutMs?: number | undefined;
  /** Milliseconds; 0: no limit. */
  readonly statementTimeoutMs?: number | undefined;
  /** Milliseconds that others may wait for a migration; 0: no limit. */
  readonly maxBlockingMs?: number | undefined;
  /** Milliseconds for what is patient; 0: no limit. */
  readonly patientTimeoutMs?: number | undefined;
  /** Milliseconds; 0: never. */
  readonly cancelBlockersAfterMs?: number | undefined;
  /** Milliseconds; 0: never. */
  readonly terminateBlockersAfterMs?: number | undefined;
  /** Schema of the history. */
  readonly historySchema?: string | undefined;
  /** The one stream that `database`, `directUrl`, `migrations` and `embedded` are for; needed when there are several. */
  readonly stream?: string | undefined;
  /** Folder that a relative `migrations` resolves against; default: the working folder of the process. */
  readonly cwd?: string | undefined;
}

/**
 * A configuration with parts replaced. A new `database` also drops the stream's `direct_url`, which leads to the old one.
 * @throws GodwitError USAGE when the parts contradict each other or fit no single stream; STREAM_UNKNOWN.
 */
export function withOverrides(config: Config, overrides: ConfigOverrides): Config {
  if (overrides.embedded === true && overrides.database !== undefined) {
    throw new GodwitError("USAGE", "--embedded and --database name two databases", {
      hint: "keep one of them",
    });
  }
  if (overrides.embedded === true && overrides.directUrl !== undefined) {
    throw new GodwitError("USAGE", "--direct-url leads past a pooler, and --embedded has none", {
      hint: "remove --direct-url",
    });
  }
  return deepFreeze({
    ...config,
    streams: overrideStreams(config, overrides),
    historySchema: historySchema(overrides.historySchema) ?? config.historySchema,
    safety: {
      ...config.safety,
      lockTimeoutMs: timeout("--lock-timeout", overrides.lockTimeoutMs, 1) ?? config.safety.lockTimeoutMs,
      statementTimeoutMs:
        timeout("--statement-timeout", overrides.statementTimeoutMs, 0) ?? config.safety.statementTimeoutMs,
      maxBlockingMs: timeout("--max-blocking", overrides.maxBlockingMs, 0) ?? config.safety.maxBlockingMs,
      patientTimeoutMs:
        timeout("--patient-timeout", overrides.patientTimeoutMs, 0) ?? config.safety.patientTimeoutMs,
      cancelBlockersAfterMs:
        timeout("--cancel-blockers-after", overrides.cancelBlockersAfterMs, 0) ??
        config.safety.cancelBlockersAfterMs,
      terminateBlockersAfterMs:
        timeout("--terminate-blockers-after", overrides.terminateBlockersAfterMs, 0) ??
        config.safety.terminateBlockersAfterMs,
    },
  });
}

function overrideStreams(config: Config, overrides: ConfigOverrides): readonly StreamConfig[] {
  const flags = [
    overrides.database === undefined ? null : "--database",
    overrides.directUrl === undefined ? null : "--direct-url",
    overrides.migrations === undefined ? null : "--migrations",
  ].filter((flag) => flag !== null);
  const chosen = overrides.stream;
  if (chosen !== undefined) requireStream(config, chosen);
  if (flags.length > 0 && chosen === undefined && config.streams.length > 1) {
    const names = config.streams.map((stream) => stream.name).join(", ");
    throw new GodwitError(
      "USAGE",
      `${flags.join(" and ")} can only be for one stream, and there are several: ${names}`,
      {
        hint: `choose one: --stream ${config.streams[0]?.name ?? ""}`,
      },
    );
  }
  return config.streams.map((stream) =>
    chosen === undefined || stream.name === chosen ? overrideStream(stream, overrides) : stream,
  );
}

function overrideStream(stream: StreamConfig, overrides: ConfigOverrides): StreamConfig {
  const database = overriddenDatabase(overrides);
  const kept = database === null ? stream.directUrl : null;
  return {
    ...stream,
    migrations:
      overrides.migrations === undefined
        ? stream.migrations
        : resolve(overrides.cwd ?? ".", nonEmpty("--migrations", overrides.migrations)),
    database: database ?? stream.database,
    directUrl: overrides.directUrl === undefined ? kept : literal("--direct-url", overrides.directUrl),
  };
}

function overriddenDatabase(overrides: ConfigOverrides): DatabaseSource | null {
  if (overrides.embedded === true || overrides.database === "embedded") return { kind: "embedded" };
  return overrides.database === undefined ? null : literal("--database", overrides.database);
}

/** The shell expanded what it had to: a `${` that is left in a flag means itself. */
function literal(flag: string, value: string): DatabaseSource {
  return { kind: "string", value: nonEmpty(flag, value).replaceAll("${", () => "$${"), key: flag };
}

function nonEmpty(flag: string, value: string): string {
  if (value.trim() !== "") return value;
  throw new GodwitError("USAGE", `${flag} is empty`, { hint: "give it a value, or leave it out" });
}

function timeout(flag: string, ms: number | undefined, least: number): number | null {
  if (ms === undefined) return null;
  if (Number.isSafeInteger(ms) && ms >= least && ms <= 2_147_483_647) return ms;
  throw new GodwitError(
    "USAGE",
    `${flag} must be ${least === 0 ? "0 or more" : "above zero"} and at most 24d`,
    {
      hint: `write a duration: ${flag} 2s`,
    },
  );
}

function historySchema(name: string | undefined): string | null {
  if (name === undefined) return null;
  const fault = historySchemaFault(name);
  if (fault === null) return name;
  throw new GodwitError("USAGE", `the schema of the history: ${fault}`, { hint: "the default is godwit" });
}

function requireStream(config: Config, name: string): void {
  const names = config.streams.map((stream) => stream.name);
  if (names.includes(name)) return;
  const near = closest(name, names);
  throw new GodwitError("STREAM_UNKNOWN", `no stream is called "${name}"`, {
    hint: near === null ? `the streams are: ${names.join(", ")}` : `did you mean "${near}"?`,
  });
}
