import { buildGraph, type Graph, type GraphMigration } from "../migrations/graph.ts";
import type { MigrationFile, Requirement } from "../migrations/types.ts";
import type { FleetIo } from "./io.ts";
import { filesOf } from "./streams.ts";
import { pathShower } from "./show-path.ts";

/**
 * Builds the graph of all streams of the configuration. Applied migrations need not be parsed: what they require was met.
 * @param known files of streams that were listed already.
 * @param applied ids in the history, so that one whose file is gone can still be required.
 * @param requiresOf what a migration requires; undefined: not known and of no matter.
 */
export function fleetGraph(
  io: FleetIo,
  known: ReadonlyMap<string, readonly MigrationFile[]>,
  requiresOf: (file: MigrationFile) => readonly Requirement[] | null | undefined,
  applied: ReadonlyMap<string, ReadonlySet<string>> = new Map(),
): Graph {
  const showPath = pathShower(io);
  return buildGraph(
    io.config.streams.map((stream) => {
      const files = known.get(stream.name) ?? filesOf(io, stream);
      const migrations: GraphMigration[] = [];
      for (const file of files) {
        if (file.kind !== "versioned") continue;
        migrations.push({ id: file.id, requires: requiresOf(file), path: showPath(file.path) });
      }
      const onDisk = new Set(migrations.map((migration) => migration.id));
      for (const id of applied.get(stream.name) ?? [])
        if (!onDisk.has(id)) migrations.push({ id, requires: undefined });
      return { name: stream.name, after: stream.after, migrations };
    }),
  );
}
