import type { Graph, GraphNode } from "./graph.ts";
import { keyOf } from "./migration-key.ts";

/** The graph as plain data, to be printed, drawn or given out as JSON. */
export interface GraphData {
  readonly streams: readonly string[];
  readonly nodes: readonly GraphDataNode[];
  readonly edges: readonly GraphDataEdge[];
}

export interface GraphDataNode {
  /** `<stream>/<id>`. */
  readonly key: string;
  readonly stream: string;
  readonly id: string;
  /** Position in the order of the whole graph, from 0. */
  readonly position: number;
  readonly status: string;
}

export interface GraphDataEdge {
  /** The migration that is required, as a key. */
  readonly from: string;
  /** The one that requires it. */
  readonly to: string;
  /**
   * `requires`: named by a directive. `chain`: it names nothing and so requires every earlier id of its stream;
   * edges that follow from others are left out, so it is joined to what came since the last one of its kind.
   */
  readonly kind: "requires" | "chain";
}

/**
 * The graph as plain data, nodes in the order of application.
 * @param statusOf what is known of a migration on a target, in the words of the history.
 */
export function graphData(graph: Graph, statusOf: (stream: string, id: string) => string): GraphData {
  const nodes = graph.order.map(({ stream, id, position }) => ({
    key: keyOf(stream, id),
    stream,
    id,
    position,
    status: statusOf(stream, id),
  }));
  return { streams: graph.streams, nodes, edges: [...chains(graph), ...requirements(graph)] };
}

function* chains(graph: Graph): Iterable<GraphDataEdge> {
  for (const nodes of graph.byStream.values()) {
    let since: GraphNode[] = [];
    for (const node of nodes) {
      if (node.chained) {
        const to = keyOf(node.stream, node.id);
        for (const earlier of since) yield { from: keyOf(earlier.stream, earlier.id), to, kind: "chain" };
        since = [];
      }
      since.push(node);
    }
  }
}

function* requirements(graph: Graph): Iterable<GraphDataEdge> {
  for (const node of graph.order) {
    for (const { stream, id } of node.requires) {
      yield { from: keyOf(stream, id), to: keyOf(node.stream, node.id), kind: "requires" };
    }
  }
}
