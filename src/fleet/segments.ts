import type { StreamConfig } from "../config/types.ts";
import { GodwitError } from "../core/error.ts";
import { readSnapshot } from "../history/read.ts";
import type { Graph, GraphNode } from "../migrations/graph.ts";
import { unmetRequirements, type UnmetRequirement } from "../migrations/pending.ts";
import { compareWithHistory, type Comparison } from "../plan/compare.ts";
import { selectPending, triedFirst, wasTried } from "../plan/select-pending.ts";
import type { FleetIo } from "./io.ts";
import { selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

/** Neighbours in the order of the graph that belong to one stream; its repeatables go with the last of them. */
export interface Segment {
  readonly stream: string;
  readonly nodes: GraphNode[];
  withRepeatables: boolean;
}

/** A stream that takes part, as far as the order of work depends on it. */
export interface SegmentSource {
  readonly stream: StreamConfig;
  readonly findings: { readonly comparison: Comparison };
}

/**
 * Cuts the pending migrations of several streams into pieces that run one behind the other, what was tried before and did not
 * get through in front (law 6). A stream's repeatables run
 * when nothing versioned of it is left pending.
 * @throws GodwitError as `selectPending`.
 */
export function segmentsOf(
  graph: Graph,
  sources: readonly SegmentSource[],
  options: { readonly to?: string | undefined; readonly steps?: number | undefined },
): Segment[] {
  const selection = { to: options.to, step: options.steps };
  const chosen = new Map(
    sources.map(({ stream, findings }) => [
      stream.name,
      selectPending(graph, stream.name, findings.comparison, selection),
    ]),
  );
  const segments: Segment[] = [];
  const inOrder = [...chosen.values()].flat().toSorted((a, b) => a.position - b.position);
  const byName = new Map(sources.map((source) => [source.stream.name, source]));
  const isTried = (node: GraphNode): boolean => wasTried(node, byName.get(node.stream)!.findings.comparison);
  const goesAfter = (stream: string, other: string): boolean =>
    byName.get(stream)?.stream.after.includes(other) ?? false;
  for (const node of triedFirst(inOrder, isTried, goesAfter)) {
    const open = segments.at(-1);
    if (open?.stream === node.stream) open.nodes.push(node);
    else segments.push({ stream: node.stream, nodes: [node], withRepeatables: false });
  }
  for (const { stream, findings } of sources) {
    const { pending, repeatables } = findings.comparison;
    const isLeft = chosen.get(stream.name)!.length < pending.length;
    if (repeatables.length === 0 || isLeft) continue;
    let last = segments.findLast((segment) => segment.stream === stream.name);
    if (last === undefined) segments.push((last = { stream: stream.name, nodes: [], withRepeatables: true }));
    last.withRepeatables = true;
  }
  return segments;
}

/** What is applied, by stream; streams that do not take part are asked when they are first needed. */
export type AppliedIds = Map<string, Set<string>>;

/**
 * Proves that everything the segments require by name is applied already or comes before, so that it is refused before
 * anything runs.
 * @param applied gains the streams that had to be asked.
 * @throws GodwitError GRAPH_UNMET_REQUIREMENT.
 */
export async function assertRequirementsMet(
  io: FleetIo,
  graph: Graph,
  segments: readonly Segment[],
  applied: AppliedIds,
): Promise<void> {
  const before: AppliedIds = new Map([...applied].map(([stream, ids]) => [stream, new Set(ids)]));
  for (const { stream, nodes } of segments) {
    for (const { requires } of nodes) {
      for (const { stream: name } of requires) {
        if (before.has(name)) continue;
        const ids = await appliedElsewhere(io, name);
        applied.set(name, ids);
        before.set(name, new Set(ids));
      }
    }
    const unmet = firstUnmet(graph, nodes, before);
    if (unmet !== null) throw unmetError(unmet);
    for (const node of nodes) before.get(stream)!.add(node.id);
  }
}

/** The first requirement of nodes that is neither among them nor applied. */
export function firstUnmet(
  graph: Graph,
  nodes: readonly GraphNode[],
  applied: ReadonlyMap<string, ReadonlySet<string>>,
): UnmetRequirement | null {
  const [first] = unmetRequirements(graph, nodes, (stream, id) => applied.get(stream)?.has(id) ?? false);
  return first ?? null;
}

function unmetError({ node, requirement }: UnmetRequirement): GodwitError {
  return new GodwitError(
    "GRAPH_UNMET_REQUIREMENT",
    `${node.stream}/${node.id} requires ${requirement.stream}/${requirement.id}, which is not applied`,
    { hint: `apply it first: godwit up --stream ${requirement.stream} --to ${requirement.id}` },
  );
}

async function appliedElsewhere(io: FleetIo, name: string): Promise<Set<string>> {
  const [stream] = selectStreams(io.config, [name]);
  const target = await resolveTarget(io, stream!);
  return withTargetSession(io, target, async (session) => {
    const { rows } = await readSnapshot(session, target.scope);
    return new Set(compareWithHistory([], rows).applied);
  });
}
