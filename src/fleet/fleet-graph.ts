import { buildGraph, type Graph, type GraphMigration } from "../migrations/graph.ts";
import type { MigrationFile, Requirement } from "../migrations/types.ts";
import type { FleetIo } from "./io.ts";
import { filesOf } from "./streams.ts";

/**
 * Builds the graph of all streams of the configuration. Applied migrations need not be parsed: what they require was met.
 * @param known files of streams that were listed already.
 * @param requiresOf what a migration requires; undefined: not known and of no matter.
 */
export function fleetGraph(
  io: FleetIo,
  known: ReadonlyMap<string, readonly MigrationFile[]>,
  requiresOf: (file: MigrationFile) => readonly Requirement[] | null | undefined,
): Graph {
  return buildGraph(
    io.config.streams.map((stream) => {
      const files = known.get(stream.name) ?? filesOf(io, stream);
      const migrations: GraphMigration[] = [];
      for (const file of files) {
        if (file.kind !== "versioned") continue;
        migrations.push({ id: file.id, requires: requiresOf(file), path: file.path });
      }
      return { name: stream.name, after: stream.after, migrations };
    }),
  );
}
