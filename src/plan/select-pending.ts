import { compareIds } from "../migrations/order.ts";
import type { Graph, GraphNode } from "../migrations/graph.ts";
import { keyOf } from "../migrations/migration-key.ts";
import { pendingOf, type PendingSelection } from "../migrations/pending.ts";
import type { Comparison } from "./compare.ts";

/**
 * The pending migrations of a stream that are wanted, in the order to run them: those that were tried before and did not get
 * through come first (law 6), each right behind what it requires; `step` counts in this order.
 * @throws GodwitError as `pendingOf`.
 */
export function selectPending(
  graph: Graph,
  stream: string,
  comparison: Comparison,
  selection: PendingSelection,
): GraphNode[] {
  const { applied } = comparison;
  const wanted = pendingOf(graph, stream, applied, selection);
  const candidates =
    selection.step === undefined ? wanted : pendingOf(graph, stream, applied, { to: selection.to });
  return triedFirst(candidates, (node) => wasTried(node, comparison)).slice(0, wanted.length);
}

/** Whether an earlier run began a migration and did not get through. */
export function wasTried({ id }: GraphNode, { rowsById }: Comparison): boolean {
  const status = rowsById.get(id)?.status;
  return status === "failed" || status === "running";
}

/**
 * Puts what was tried before to the front, behind what must go before it.
 * @param nodes in the order of the graph.
 * @param goesAfter whether a stream goes after another one as a whole; left out: the nodes are of one stream.
 */
export function triedFirst(
  nodes: readonly GraphNode[],
  isTried: (node: GraphNode) => boolean,
  goesAfter: (stream: string, other: string) => boolean = () => false,
): readonly GraphNode[] {
  const tried = nodes.filter(isTried);
  if (tried.length === 0) return nodes;
  const byKey = new Map(nodes.map((node) => [keyOf(node.stream, node.id), node]));
  const early = new Set<GraphNode>();
  /** By stream: all up to this id are taken already. */
  const chainedTo = new Map<string, string>();
  const streams = new Set<string>();
  const open = tried;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (early.has(node)) continue;
    early.add(node);
    const { id, stream, chained, requires } = node;
    const takenTo = chainedTo.get(stream);
    if (chained && (takenTo === undefined || compareIds(id, takenTo) > 0)) {
      chainedTo.set(stream, id);
      for (const other of nodes)
        if (other.stream === stream && compareIds(other.id, id) < 0) open.push(other);
    }
    if (!streams.has(stream)) {
      streams.add(stream);
      for (const other of nodes) if (goesAfter(stream, other.stream)) open.push(other);
    }
    for (const required of requires) {
      const other = byKey.get(keyOf(required.stream, required.id));
      if (other !== undefined) open.push(other);
    }
  }
  return [...nodes.filter((node) => early.has(node)), ...nodes.filter((node) => !early.has(node))];
}
