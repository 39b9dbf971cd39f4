import { isGodwitError } from "../core/error.ts";
import { readSnapshot } from "../history/read.ts";
import type { Graph } from "../migrations/graph.ts";
import { headerOf } from "../migrations/header.ts";
import type { MigrationFile, Requirement } from "../migrations/types.ts";
import { fleetGraph } from "./fleet-graph.ts";
import type { FleetIo } from "./io.ts";
import type { VerbOptions } from "./options.ts";
import type { GraphNodeResult, GraphResult, MigrationState } from "./results.ts";
import { filesOf, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { findUnfinished, stateOf } from "./unfinished.ts";

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
  const requiresOf = (file: MigrationFile): readonly Requirement[] | null =>
    headers.get(file)?.requires ?? null;
  const sound = soundGraph(() => fleetGraph(io, files, requiresOf), options.offline === true);
  const states = options.offline === true ? null : await readStates(io, selected, files);
  const built = sound ?? fleetGraph(io, files, requiresOf, appliedOf(states));
  const byKey = new Map([...headers].map(([file, header]) => [`${file.stream}/${file.id}`, header]));
  const nodes = built.order
    .filter((node) => selected.has(node.stream) && byKey.has(`${node.stream}/${node.id}`))
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

/**
 * What is wrong with the files is told before any database is asked; but what they name and is not among them may be
 * applied, its file gone: then null.
 */
function soundGraph(build: () => Graph, offline: boolean): Graph | null {
  try {
    return build();
  } catch (error) {
    if (offline || !isGodwitError(error, "GRAPH_UNKNOWN_REQUIREMENT")) throw error;
    return null;
  }
}

function appliedOf(states: ReadonlyMap<string, MigrationState> | null): Map<string, Set<string>> {
  const applied = new Map<string, Set<string>>();
  for (const [key, state] of states ?? []) {
    if (state !== "applied") continue;
    const slash = key.indexOf("/");
    const stream = key.slice(0, slash);
    applied.set(stream, (applied.get(stream) ?? new Set()).add(key.slice(slash + 1)));
  }
  return applied;
}

async function readStates(
  io: FleetIo,
  selected: ReadonlySet<string>,
  files: ReadonlyMap<string, readonly MigrationFile[]>,
): Promise<Map<string, MigrationState>> {
  const states = new Map<string, MigrationState>();
  for (const stream of selectStreams(io.config, [...selected])) {
    const target = await resolveTarget(io, stream);
    const { rows, unfinished } = await withTargetSession(io, target, async (session) => {
      const snapshot = await readSnapshot(session, target.scope);
      const own = files.get(stream.name) ?? [];
      return { rows: snapshot.rows, unfinished: await findUnfinished(session, target, own, snapshot) };
    });
    for (const row of rows) {
      if (row.kind === "versioned")
        states.set(`${stream.name}/${row.id}`, stateOf(row, unfinished.get(row.id), false));
    }
  }
  return states;
}
