import { GodwitError } from "../core/error.ts";
import { findCycle } from "./graph-cycle.ts";
import { unknownRequirement, unknownStream } from "./graph-unknown.ts";
import { keyOf } from "./migration-key.ts";
import { sortById } from "./order.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { Requirement } from "./types.ts";

/** One migration as the graph needs it; it need not have been parsed. */
export interface GraphMigration {
  readonly id: string;
  /**
   * What it requires. null: every earlier id of its stream. undefined: not known and of no matter,
   * since it is applied already; it then requires nothing.
   */
  readonly requires: readonly Requirement[] | null | undefined;
  /** The file, for messages. */
  readonly path?: string | null;
}

export interface GraphStream {
  readonly name: string;
  /** Streams that go first, as a whole. */
  readonly after: readonly string[];
  /** Versioned migrations in any order. */
  readonly migrations: readonly GraphMigration[];
}

export interface GraphNode {
  readonly stream: string;
  readonly id: string;
  /** Position in the order of the whole graph, from 0. */
  readonly position: number;
  /** What the file names; empty when `chained` or unknown. */
  readonly requires: readonly Requirement[];
  /** It requires every earlier id of its stream. */
  readonly chained: boolean;
  readonly path: string | null;
}

export interface Graph {
  /** Names of the streams, each behind those it goes after. */
  readonly streams: readonly string[];
  /** Every migration, each behind all it requires; where that leaves a choice, by stream, then bytewise by id. */
  readonly order: readonly GraphNode[];
  /** The nodes of each stream, bytewise by id. */
  readonly byStream: ReadonlyMap<string, readonly GraphNode[]>;
  /** Finds a node by `keyOf(stream, id)`. */
  readonly byKey: ReadonlyMap<string, GraphNode>;
}

/** A node while the order is worked out. Gates stand for "all of these", so that no pair of migrations needs an edge. */
interface Vertex {
  readonly migration: { readonly stream: string; readonly source: GraphMigration } | null;
  readonly rank: number;
  readonly followers: number[];
  waitingFor: number;
}

/**
 * Orders the migrations of all streams.
 * @throws GodwitError STREAM_UNKNOWN for an unknown name in `after`; GRAPH_UNKNOWN_REQUIREMENT for ids and streams in
 *   `requires` that do not exist, all of them at once; GRAPH_CYCLE naming the ids on the circle.
 */
export function buildGraph(streams: readonly GraphStream[]): Graph {
  const ordered = orderStreams(streams);
  const vertices: Vertex[] = [];
  const indexOf = new Map<string, number>();
  const add = (migration: Vertex["migration"], rank: number): number =>
    vertices.push({ migration, rank, followers: [], waitingFor: 0 }) - 1;
  const follow = (before: number, after: number): void => {
    vertices[before]!.followers.push(after);
    vertices[after]!.waitingFor++;
  };

  const sorted = ordered.map((stream) => ({
    name: stream.name,
    after: stream.after,
    migrations: sortById([...stream.migrations]),
  }));
  for (const { name, migrations } of sorted) {
    for (const source of migrations) {
      const index = add({ stream: name, source }, vertices.length);
      indexOf.set(keyOf(name, source.id), index);
    }
  }
  const ends = new Map<string, number>();
  for (const { name, after, migrations } of sorted) {
    const start = add(null, -1);
    for (const earlier of after) follow(ends.get(earlier)!, start);
    let gate = start;
    for (const source of migrations) {
      const index = indexOf.get(keyOf(name, source.id))!;
      follow(source.requires === null ? gate : start, index);
      const next = add(null, -1);
      follow(gate, next);
      follow(index, next);
      gate = next;
    }
    ends.set(name, gate);
  }
  addRequirements(sorted, indexOf, follow);

  const order = sortVertices(vertices);
  if (order === null) throw findCycle(sorted);
  return freeze(sorted, order);
}

type SortedStreams = readonly GraphStream[];

function addRequirements(
  streams: SortedStreams,
  indexOf: ReadonlyMap<string, number>,
  follow: (before: number, after: number) => void,
): void {
  const unknown: GodwitError[] = [];
  for (const { name, migrations } of streams) {
    for (const source of migrations) {
      const index = indexOf.get(keyOf(name, source.id))!;
      for (const requirement of source.requires ?? []) {
        const required = indexOf.get(keyOf(requirement.stream, requirement.id));
        if (required !== undefined) follow(required, index);
        else unknown.push(unknownRequirement(streams, name, source, requirement));
      }
    }
  }
  if (unknown.length === 1) throw unknown[0]!;
  if (unknown.length > 1) {
    throw new GodwitError(
      "GRAPH_UNKNOWN_REQUIREMENT",
      `${unknown.length} requirements name migrations that do not exist`,
      { problems: unknown },
    );
  }
}

/** Kahn's algorithm, taking the least by rank of what is ready; null when a circle is left. */
function sortVertices(vertices: readonly Vertex[]): NonNullable<Vertex["migration"]>[] | null {
  const waiting = vertices.map((vertex) => vertex.waitingFor);
  const ready = new ReadyQueue();
  const order: NonNullable<Vertex["migration"]>[] = [];
  let left = vertices.length;
  const release = (released: number): void => {
    const open = [released];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const vertex = vertices[index]!;
      // A gate takes no place in the order: it is passed as soon as it is open.
      if (vertex.migration !== null) {
        ready.push(vertex.rank);
        continue;
      }
      left--;
      for (const follower of vertex.followers) if (--waiting[follower]! === 0) open.push(follower);
    }
  };
  for (const [index, vertex] of vertices.entries()) if (vertex.waitingFor === 0) release(index);
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    const vertex = vertices[index]!;
    left--;
    order.push(vertex.migration!);
    for (const follower of vertex.followers) if (--waiting[follower]! === 0) release(follower);
  }
  return left === 0 ? order : null;
}

/** The streams, each behind those it goes after; else as they were given. */
function orderStreams(streams: readonly GraphStream[]): GraphStream[] {
  const byName = new Map(streams.map((stream) => [stream.name, stream]));
  const done = new Set<string>();
  const path: string[] = [];
  const ordered: GraphStream[] = [];
  const visit = (stream: GraphStream): void => {
    if (done.has(stream.name)) return;
    if (path.includes(stream.name)) {
      const circle = [...path.slice(path.indexOf(stream.name)), stream.name];
      throw new GodwitError(
        "GRAPH_CYCLE",
        `streams go after each other in a circle: ${circle.join(" after ")}`,
        {
          hint: `remove one of these names from \`after\` in the configuration`,
        },
      );
    }
    path.push(stream.name);
    for (const name of stream.after) {
      const earlier = byName.get(name);
      if (earlier === undefined) throw unknownStream(stream.name, name, [...byName.keys()]);
      visit(earlier);
    }
    path.pop();
    done.add(stream.name);
    ordered.push(stream);
  };
  for (const stream of streams) visit(stream);
  return ordered;
}

function freeze(streams: SortedStreams, order: readonly NonNullable<Vertex["migration"]>[]): Graph {
  const nodes = order.map(({ stream, source }, position): GraphNode => ({
    stream,
    id: source.id,
    position,
    requires: source.requires ?? [],
    chained: source.requires === null,
    path: source.path ?? null,
  }));
  const byKey = new Map(nodes.map((node) => [keyOf(node.stream, node.id), node]));
  const byStream = new Map(
    streams.map(({ name, migrations }) => [name, migrations.map(({ id }) => byKey.get(keyOf(name, id))!)]),
  );
  return { streams: streams.map(({ name }) => name), order: nodes, byStream, byKey };
}
