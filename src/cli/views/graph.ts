import type { GraphResult, MigrationState } from "../../api/types.ts";
import { pad, textWidth, truncate } from "../text-width.ts";
import { tellingDescription } from "../reporters/statement-label.ts";
import type { ViewContext } from "../verb.ts";
import { reduceRequirements } from "./requirements.ts";

const MARKS: Readonly<Record<MigrationState, string>> = {
  applied: "✓",
  pending: "·",
  failed: "✗",
  half_applied: "✗",
};

/**
 * The lanes of the drawing: each is the key of the node whose children it still leads to, or null where it is free.
 * A node takes the lane of its first parent whose last child it is, or a free one.
 */
function drawLanes(nodes: ReturnType<typeof reduceRequirements>): string[] {
  const children = new Map<string, number>();
  for (const node of nodes)
    for (const parent of node.parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  const lanes: (string | null)[] = [];
  return nodes.map((node) => {
    const ending: number[] = [];
    for (const parent of node.parents) {
      const left = children.get(parent)! - 1;
      children.set(parent, left);
      const lane = lanes.indexOf(parent);
      if (left === 0 && lane !== -1) ending.push(lane);
    }
    const free = lanes.indexOf(null);
    const own = ending[0] ?? (free === -1 ? lanes.length : free);
    for (const lane of ending) lanes[lane] = null;
    const rail = lanes.map((lane, at) =>
      at === own ? "●" : ending.includes(at) ? "╯" : lane === null ? " " : "│",
    );
    if (own === rail.length) rail.push("●");
    lanes[own] = (children.get(node.key) ?? 0) > 0 ? node.key : null;
    while (lanes.at(-1) === null) lanes.pop();
    return rail.join(" ");
  });
}

/** Every migration in the order of application, with lines to what requires it and its requirements where they branch. */
export function renderGraph(result: GraphResult, context: ViewContext): string {
  const { style } = context;
  const nodes = reduceRequirements(result.nodes);
  if (nodes.length === 0) return "no migrations\n";
  const drawn = drawLanes(nodes);
  const railWidth = Math.max(...drawn.map(textWidth));
  const severalStreams = new Set(nodes.map(({ stream }) => stream)).size > 1;
  const lines = nodes.map((node, at) => {
    const before = nodes[at - 1];
    const follows = node.parents.length === 1 && node.parents[0] === before?.key;
    const name = severalStreams ? node.key : node.id;
    const names = node.parents.map((parent) =>
      parent.startsWith(`${node.stream}/`) ? parent.slice(node.stream.length + 1) : parent,
    );
    const requires = follows || names.length === 0 ? "" : `  requires ${names.join(", ")}`;
    const description = tellingDescription(node.id, node.description);
    const about = description === "" ? "" : `  ${description}`;
    const rest = requires + about;
    const room = context.width === 0 ? rest.length : context.width - railWidth - textWidth(name) - 6;
    const mark = node.state === null ? "" : `${MARKS[node.state]} `;
    const paint = node.state === "applied" ? style.green : node.state === "pending" ? style.cyan : style.red;
    return `${style.dim(pad(drawn[at]!, railWidth))}  ${node.state === null ? "" : paint(mark)}${style.bold(name)}${style.dim(truncate(rest, room))}`.trimEnd();
  });
  return `${lines.join("\n")}\n`;
}
