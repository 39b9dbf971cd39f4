import type { GraphResult, MigrationState } from "../../api/types.ts";
import { reduceRequirements } from "./requirements.ts";

const COLOURS: Readonly<Record<MigrationState, string>> = {
  applied: "palegreen",
  pending: "lightblue",
  failed: "salmon",
  half_applied: "salmon",
};

const quoted = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** The graph in the DOT language of Graphviz: an arrow points from what is required to what requires it. */
export function renderDot(result: GraphResult): string {
  const lines = [
    "digraph migrations {",
    "  rankdir=LR;",
    "  node [shape=box, style=filled, fillcolor=white];",
  ];
  const nodes = reduceRequirements(result.nodes);
  for (const stream of new Set(nodes.map((node) => node.stream))) {
    lines.push(`  subgraph ${quoted(`cluster_${stream}`)} {`, `    label=${quoted(stream)};`);
    for (const node of nodes.filter((each) => each.stream === stream)) {
      const colour = node.state === null ? "" : `, fillcolor=${COLOURS[node.state]}`;
      lines.push(`    ${quoted(node.key)} [label=${quoted(node.id)}${colour}];`);
    }
    lines.push("  }");
  }
  for (const node of nodes)
    for (const from of node.parents) lines.push(`  ${quoted(from)} -> ${quoted(node.key)};`);
  lines.push("}");
  return `${lines.join("\n")}\n`;
}
