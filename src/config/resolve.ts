import { dirname, resolve } from "node:path";
import type { GodwitError } from "../core/error.ts";
import {
  DEFAULT_HISTORY_SCHEMA,
  DEFAULT_MIGRATIONS,
  DEFAULT_SAFETY,
  implicitStreamName,
} from "./defaults.ts";
import { historySchemaFault } from "./history-schema.ts";
import { KeyReader } from "./key-reader.ts";
import { resolveLock } from "./lock.ts";
import type { ConfigFile, DatabaseEntry } from "./schema.ts";
import { showPath } from "./source.ts";
import type { ConfigSource, KeyPath } from "./source.ts";
import { inOrder, orderProblems } from "./stream-order.ts";
import type { Config, DatabaseSource, SafetyConfig, StreamConfig } from "./types.ts";

/**
 * Makes the configuration of a file whose shape was checked: defaults, absolute paths, durations, the order of streams.
 * Variables are expanded here for what every command reads; connections keep theirs until they are made.
 * @param path absolute path of the file.
 * @returns the configuration, or every problem of it.
 */
export function resolveConfig(
  file: ConfigFile,
  source: ConfigSource,
  path: string,
  env: Config["env"],
): { readonly config: Config | null; readonly problems: readonly GodwitError[] } {
  const reader = new KeyReader(source, env);
  const root = dirname(path);
  reportMisplaced(file, reader);
  const streams = resolveStreams(file, root, env, reader);
  const safety = resolveSafety(file.safety ?? {}, reader);
  const lock = resolveLock(file.lock ?? {}, reader);
  const historySchema = resolveHistorySchema(file, reader);
  const problems = [...reader.problems, ...orderProblems(source, streams)];
  if (problems.length > 0) return { config: null, problems };
  const config: Config = {
    root,
    file: path,
    streams: inOrder(streams),
    historySchema,
    lock,
    safety,
    env,
  };
  return { config, problems };
}

interface StreamEntry {
  readonly migrations?: string | undefined;
  readonly database?: DatabaseEntry | undefined;
  readonly direct_url?: DatabaseEntry | undefined;
  readonly after?: readonly string[] | undefined;
  readonly search_path?: string | undefined;
}

function resolveStreams(
  file: ConfigFile,
  root: string,
  env: Config["env"],
  reader: KeyReader,
): readonly StreamConfig[] {
  if (file.streams !== undefined) {
    return Object.entries(file.streams).map(([name, entry]) =>
      resolveStream(name, entry, ["streams", name], root, reader),
    );
  }
  const { migrations, database, direct_url, search_path } = file;
  const name = reader.attempt([], () => implicitStreamName(env));
  return name === null
    ? []
    : [resolveStream(name, { migrations, database, direct_url, search_path }, [], root, reader)];
}

function resolveStream(
  name: string,
  entry: StreamEntry,
  at: KeyPath,
  root: string,
  reader: KeyReader,
): StreamConfig {
  const searchPath = reader.text([...at, "search_path"], entry.search_path);
  if (searchPath?.includes("{tenant}") === true) {
    reader.report(
      [...at, "search_path"],
      "{tenant} stands for nothing: the stream has no tenants",
      "remove it",
    );
  }
  if (entry.direct_url === "embedded") {
    reader.report([...at, "direct_url"], "the embedded PostgreSQL has no pooler to go past", "remove it");
  }
  return {
    name,
    migrations: resolve(root, reader.text([...at, "migrations"], entry.migrations) ?? DEFAULT_MIGRATIONS),
    after: [...new Set(entry.after)],
    database: databaseSource(entry.database, [...at, "database"]),
    directUrl:
      entry.direct_url === undefined ? null : databaseSource(entry.direct_url, [...at, "direct_url"]),
    searchPath,
  };
}

function databaseSource(entry: DatabaseEntry | undefined, at: KeyPath): DatabaseSource {
  const key = showPath(at);
  if (entry === undefined) return { kind: "environment" };
  if (entry === "embedded") return { kind: "embedded" };
  if (typeof entry === "string") return { kind: "string", value: entry, key };
  return {
    kind: "object",
    host: entry.host ?? null,
    port: entry.port === undefined ? null : String(entry.port),
    name: entry.name,
    user: entry.user ?? null,
    password: entry.password ?? null,
    key,
  };
}

function resolveSafety(entry: NonNullable<ConfigFile["safety"]>, reader: KeyReader): SafetyConfig {
  return {
    ...DEFAULT_SAFETY,
    lockTimeoutMs:
      reader.duration(["safety", "lock_timeout"], entry.lock_timeout, 1) ?? DEFAULT_SAFETY.lockTimeoutMs,
    statementTimeoutMs:
      reader.duration(["safety", "statement_timeout"], entry.statement_timeout, 0) ??
      DEFAULT_SAFETY.statementTimeoutMs,
    maxBlockingMs:
      reader.duration(["safety", "max_blocking"], entry.max_blocking, 0) ?? DEFAULT_SAFETY.maxBlockingMs,
    patientTimeoutMs:
      reader.duration(["safety", "patient_timeout"], entry.patient_timeout, 0) ??
      DEFAULT_SAFETY.patientTimeoutMs,
    cancelBlockersAfterMs:
      reader.duration(["safety", "cancel_blockers_after"], entry.cancel_blockers_after, 0) ??
      DEFAULT_SAFETY.cancelBlockersAfterMs,
    terminateBlockersAfterMs:
      reader.duration(["safety", "terminate_blockers_after"], entry.terminate_blockers_after, 0) ??
      DEFAULT_SAFETY.terminateBlockersAfterMs,
    tolerateExisting: entry.tolerate_existing ?? DEFAULT_SAFETY.tolerateExisting,
  };
}

function resolveHistorySchema(file: ConfigFile, reader: KeyReader): string {
  const name = reader.text(["history", "schema"], file.history?.schema) ?? DEFAULT_HISTORY_SCHEMA;
  const fault = historySchemaFault(name);
  if (fault !== null) reader.report(["history", "schema"], fault);
  return name;
}

/** Keys of a single stream beside `streams` would belong to none of them. */
function reportMisplaced(file: ConfigFile, reader: KeyReader): void {
  if (file.streams === undefined) return;
  if (Object.keys(file.streams).length === 0) {
    reader.report(["streams"], "names no stream", "name one, or remove the key");
  }
  for (const key of ["migrations", "database", "direct_url", "search_path"] as const) {
    if (file[key] === undefined) continue;
    reader.report(
      [key],
      "stands beside streams and belongs to none of them",
      `move it: streams.<name>.${key}`,
    );
  }
}
