import { statSync } from "node:fs";
import type { Config, StreamConfig } from "../config/types.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { discoverMigrations } from "../migrations/discover.ts";
import { didYouMean } from "../core/similar.ts";
import type { MigrationFile } from "../migrations/types.ts";
import type { FleetIo } from "./io.ts";

/** The streams of given names, in the order of the configuration; all of them without names. @throws GodwitError STREAM_UNKNOWN. */
export function selectStreams(config: Config, names: readonly string[] | undefined): readonly StreamConfig[] {
  if (names === undefined || names.length === 0) return config.streams;
  const known = config.streams.map((stream) => stream.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new GodwitError("STREAM_UNKNOWN", `no stream is named "${name}"`, {
      hint: didYouMean(name, known, `streams: ${known.join(", ")}`),
    });
  }
  return config.streams.filter((stream) => names.includes(stream.name));
}

/**
 * The one stream that a verb is to act on.
 * @throws GodwitError USAGE when several are configured and none is named.
 */
export function selectOneStream(
  config: Config,
  names: readonly string[] | undefined,
  verb: string,
): StreamConfig {
  const selected = selectStreams(config, names);
  const [only, ...others] = selected;
  if (only === undefined || others.length > 0) {
    throw new GodwitError("USAGE", `${verb} acts on one stream, and there are ${selected.length}`, {
      hint: `name it: --stream ${selected.map((stream) => stream.name).join(" or --stream ")}`,
    });
  }
  return only;
}

/** Lists the files of a stream. @throws as `discoverMigrations`. */
export function filesOf(io: FleetIo, stream: StreamConfig): MigrationFile[] {
  return discoverMigrations({
    stream: stream.name,
    directory: stream.migrations,
    ...(io.signal === undefined ? {} : { signal: io.signal }),
    warn: (message, hint) => io.emit({ type: "warning", target: stream.name, message, hint }),
  });
}

/** As `filesOf`, for what works without files too: a folder that is gone is no obstacle. */
export function listed(io: FleetIo, stream: StreamConfig): MigrationFile[] {
  try {
    return filesOf(io, stream);
  } catch (error) {
    if (isGodwitError(error, "MIGRATIONS_NOT_FOUND")) return [];
    throw error;
  }
}

/**
 * Refuses a folder that is not there before any database is asked; what is in it is read later.
 * @throws GodwitError MIGRATIONS_NOT_FOUND.
 */
export function assertFolders(io: FleetIo, streams: readonly StreamConfig[]): void {
  for (const stream of streams) {
    if (!statSync(stream.migrations, { throwIfNoEntry: false })?.isDirectory()) filesOf(io, stream);
  }
}
