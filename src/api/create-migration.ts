import type { Config } from "../config/types.ts";
import { selectOneStream } from "../fleet/streams.ts";
import type { NewOptions, NewResult } from "./types.ts";

/**
 * Writes a new migration file from a template; its id is newer than every other of the stream.
 * @throws GodwitError USAGE for a name without letters or several streams and none named; MIGRATION_EXISTS.
 */
export async function createMigration(config: Config, options: NewOptions): Promise<NewResult> {
  const stream = selectOneStream(config, options.stream === undefined ? undefined : [options.stream], "new");
  const { newMigration } = await import("../migrations/templates.ts");
  return newMigration({
    directory: stream.migrations,
    name: options.name,
    format: options.format ?? "sql",
    now: new Date(),
    ...(options.requires === undefined ? {} : { requires: options.requires }),
    ...(options.repeatable === undefined ? {} : { repeatable: options.repeatable }),
    ...(options.folder === undefined ? {} : { folder: options.folder }),
  });
}
