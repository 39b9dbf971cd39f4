import { compareIds } from "../migrations/order.ts";
import type { Graph, GraphNode } from "../migrations/graph.ts";
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
  const { applied, rowsById } = comparison;
  const wanted = pendingOf(graph, stream, applied, selection);
  const candidates =
    selection.step === undefined ? wanted : pendingOf(graph, stream, applied, { to: selection.to });
  const wasTried = ({ id }: GraphNode): boolean => {
    const status = rowsById.get(id)?.status;
    return status === "failed" || status === "running";
  };
  return triedFirst(candidates, wasTried).slice(0, wanted.length);
}

/** @param nodes of one stream in the order of the graph. */
function triedFirst(
  nodes: readonly GraphNode[],
  wasTried: (node: GraphNode) => boolean,
): readonly GraphNode[] {
  const tried = nodes.filter(wasTried);
  if (tried.length === 0) return nodes;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const early = new Set<GraphNode>();
  const open = tried;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (early.has(node)) continue;
    early.add(node);
    const { id, stream, chained, requires } = node;
    if (chained) open.push(...nodes.filter((other) => compareIds(other.id, id) < 0));
    for (const required of requires) {
      const other = required.stream === stream ? byId.get(required.id) : undefined;
      if (other !== undefined) open.push(other);
    }
  }
  return [...nodes.filter((node) => early.has(node)), ...nodes.filter((node) => !early.has(node))];
}
