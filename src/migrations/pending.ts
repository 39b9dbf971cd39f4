import { GodwitError } from "../core/error.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { keyOf } from "./migration-key.ts";
import { compareIds } from "./order.ts";
import { didYouMean } from "../core/similar.ts";

/** Which of the pending migrations are wanted; nothing: all. */
export interface PendingSelection {
  /** Up to and including this id. */
  readonly to?: string | undefined;
  /** At most so many. */
  readonly step?: number | undefined;
}

/**
 * The migrations of a stream that are not applied, in the order to apply them. Pending is decided by the set alone:
 * an id before the last applied one is pending too.
 *
 * With `to` it is this id and what comes before it: pending ids that are earlier, and what any of these requires.
 * An id that is later and only happens to stand before it in the order is left out. With `to` and `step`, the first of these.
 * @param applied ids of this stream that are applied.
 * @throws GodwitError STREAM_UNKNOWN, MIGRATION_UNKNOWN for an unknown `to`, USAGE for a `step` below 1.
 */
export function pendingOf(
  graph: Graph,
  stream: string,
  applied: ReadonlySet<string>,
  selection: PendingSelection = {},
): GraphNode[] {
  const nodes = nodesOf(graph, stream);
  const { to, step } = selection;
  if (step !== undefined && (!Number.isInteger(step) || step < 1)) {
    throw new GodwitError("USAGE", `--step ${step}: not a number of migrations`, {
      hint: "write --step 1 or more",
    });
  }
  const wanted = to === undefined ? nodes : upTo(graph, findNode(graph, stream, to));
  const pending = wanted.filter((node) => !applied.has(node.id)).toSorted((a, b) => a.position - b.position);
  return step === undefined ? pending : pending.slice(0, step);
}

/**
 * Finds a migration by its id.
 * @throws GodwitError STREAM_UNKNOWN, MIGRATION_UNKNOWN with what was probably meant.
 */
export function findNode(graph: Graph, stream: string, id: string): GraphNode {
  const nodes = nodesOf(graph, stream);
  const node = graph.byKey.get(keyOf(stream, id));
  if (node !== undefined) return node;
  const started = nodes.filter((candidate) => candidate.id.startsWith(id));
  throw new GodwitError("MIGRATION_UNKNOWN", `stream ${stream} has no migration ${id}`, {
    hint:
      started.length === 1
        ? `did you mean \`${started[0]!.id}\`?`
        : didYouMean(
            id,
            nodes.map((candidate) => candidate.id),
            "`godwit status` lists the ids",
          ),
  });
}

/** A migration with one it requires. */
export interface UnmetRequirement {
  readonly node: GraphNode;
  readonly requirement: GraphNode;
}

/**
 * What selected migrations require by name that is neither applied nor selected.
 * Within one stream this is empty for what `pendingOf` returns; across streams it tells what must be applied first.
 */
export function unmetRequirements(
  graph: Graph,
  selected: readonly GraphNode[],
  isApplied: (stream: string, id: string) => boolean,
): UnmetRequirement[] {
  const chosen = new Set(selected);
  return selected.flatMap((node) =>
    requiredByName(graph, node)
      .filter((requirement) => !chosen.has(requirement) && !isApplied(requirement.stream, requirement.id))
      .map((requirement) => ({ node, requirement })),
  );
}

/**
 * The applied migrations that require this one, directly: those that name it, and in its own stream those later by id that
 * name nothing. In the order of the graph.
 */
export function dependentsOf(
  graph: Graph,
  node: GraphNode,
  isApplied: (stream: string, id: string) => boolean,
): GraphNode[] {
  return graph.order.filter((other) => {
    if (other === node || !isApplied(other.stream, other.id)) return false;
    if (other.chained) return other.stream === node.stream && compareIds(other.id, node.id) > 0;
    return other.requires.some(({ stream, id }) => stream === node.stream && id === node.id);
  });
}

function nodesOf(graph: Graph, stream: string): readonly GraphNode[] {
  const nodes = graph.byStream.get(stream);
  if (nodes !== undefined) return nodes;
  throw new GodwitError("STREAM_UNKNOWN", `no stream is named ${stream}`, {
    hint: didYouMean(stream, graph.streams, `streams: ${graph.streams.join(", ")}`),
  });
}

/**
 * The node, what stands before it and is not later by id, and what these require within the stream. One that requires every
 * earlier id brings in nothing new: to stand before the node it must be earlier itself.
 */
function upTo(graph: Graph, last: GraphNode): GraphNode[] {
  const open = nodesOf(graph, last.stream).filter(
    (node) => node.position <= last.position && compareIds(node.id, last.id) <= 0,
  );
  const wanted = new Set<GraphNode>();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (wanted.has(node)) continue;
    wanted.add(node);
    open.push(...requiredByName(graph, node).filter(({ stream }) => stream === last.stream));
  }
  return [...wanted];
}

function requiredByName(graph: Graph, node: GraphNode): GraphNode[] {
  return node.requires.flatMap(({ stream, id }) => graph.byKey.get(keyOf(stream, id)) ?? []);
}
