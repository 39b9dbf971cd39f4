import type { GraphNodeResult } from "../../api/types.ts";

export interface ReducedNode extends GraphNodeResult {
  /** `<stream>/<id>`. */
  readonly key: string;
  /** Keys of what it requires directly, without what those require anyway. */
  readonly parents: readonly string[];
}

/**
 * Leaves out requirements that follow from others, so that a line of migrations looks like a line.
 * Nodes must come in the order in which they can be applied.
 */
export function reduceRequirements(nodes: readonly GraphNodeResult[]): ReducedNode[] {
  const position = new Map(nodes.map((node, at) => [`${node.stream}/${node.id}`, at]));
  // Bit n of a set says that node n is reached; a bigint does that for ten thousand nodes.
  const reached: bigint[] = [];
  return nodes.map((node, at) => {
    const direct = [...new Set(node.requires)]
      .map((required) => (required.includes("/") ? required : `${node.stream}/${required}`))
      .filter((key) => (position.get(key) ?? at) < at)
      .sort((a, b) => position.get(b)! - position.get(a)!);
    let covered = 0n;
    const parents: string[] = [];
    for (const key of direct) {
      const bit = position.get(key)!;
      if (((covered >> BigInt(bit)) & 1n) === 1n) continue;
      parents.push(key);
      covered |= reached[bit]! | (1n << BigInt(bit));
    }
    reached.push(covered);
    return { ...node, key: `${node.stream}/${node.id}`, parents };
  });
}
