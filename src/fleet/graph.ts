import { readSnapshot } from "../history/read.ts";
import { headerOf } from "../migrations/header.ts";
import type { MigrationFile } from "../migrations/types.ts";
import { fleetGraph } from "./fleet-graph.ts";
import type { FleetIo } from "./io.ts";
import type { VerbOptions } from "./options.ts";
import type { GraphNodeResult, GraphResult, MigrationState } from "./results.ts";
import { filesOf, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

/**
 * Every migration with what it requires, in the order in which they are applied. Files are read only as far as their headers.
 * @param options.offline do not ask the databases what is applied.
 * @throws GodwitError GRAPH_CYCLE, GRAPH_UNKNOWN_REQUIREMENT.
 */
export async function graph(
  io: FleetIo,
  options: VerbOptions & { readonly offline?: boolean },
): Promise<GraphResult> {
  const selected = new Set(selectStreams(io.config, options.streams).map((stream) => stream.name));
  const files = new Map(io.config.streams.map((stream) => [stream.name, filesOf(io, stream)]));
  const headers = new Map<MigrationFile, Awaited<ReturnType<typeof headerOf>>>();
  for (const file of [...files.values()].flat()) headers.set(file, await headerOf(file));
  const built = fleetGraph(io, files, (file) => headers.get(file)?.requires ?? null);
  const states = options.offline === true ? null : await readStates(io, selected);
  const byKey = new Map([...headers].map(([file, header]) => [`${file.stream}/${file.id}`, header]));
  const nodes = built.order
    .filter((node) => selected.has(node.stream))
    .map((node): GraphNodeResult => {
      const own = built.byStream.get(node.stream)!;
      const before = own[own.indexOf(node) - 1];
      const implied = node.chained && before !== undefined ? [before.id] : [];
      const named = node.requires.map(({ stream, id }) => (stream === node.stream ? id : `${stream}/${id}`));
      const key = `${node.stream}/${node.id}`;
      return {
        stream: node.stream,
        id: node.id,
        description: byKey.get(key)?.description ?? "",
        requires: [...implied, ...named],
        state: states === null ? null : (states.get(key) ?? "pending"),
      };
    });
  return { nodes };
}

async function readStates(io: FleetIo, selected: ReadonlySet<string>): Promise<Map<string, MigrationState>> {
  const states = new Map<string, MigrationState>();
  for (const stream of selectStreams(io.config, [...selected])) {
    const target = await resolveTarget(io, stream);
    const { rows } = await withTargetSession(io, target, (session) => readSnapshot(session, target.scope));
    for (const row of rows) {
      const applied = row.status === "completed" || row.status === "baseline";
      const state = applied
        ? "applied"
        : row.status === "failed"
          ? "failed"
          : row.status === "running"
            ? "half_applied"
            : "pending";
      if (row.kind === "versioned") states.set(`${stream.name}/${row.id}`, state);
    }
  }
  return states;
}
