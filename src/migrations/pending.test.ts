import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGodwitError } from "../core/error.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { dependentsOf, findNode, pendingOf, unmetRequirements } from "./pending.ts";

function graphOf(migrations: Record<string, readonly string[] | null>): Graph {
  return buildGraph([
    { name: "shared", after: [], migrations: [{ id: "s1", requires: null }] },
    {
      name: "app",
      after: [],
      migrations: Object.entries(migrations).map(([id, requires]) => ({
        id,
        requires:
          requires?.map((text) =>
            text.startsWith("s") ? { stream: "shared", id: text } : { stream: "app", id: text },
          ) ?? null,
      })),
    },
  ]);
}

/** The graph of migrations of which those that would close a circle require nothing. */
function soundGraphOf(migrations: Record<string, readonly string[] | null>): Graph {
  const sound: Record<string, readonly string[] | null> = Object.fromEntries(
    Object.keys(migrations).map((id) => [id, []]),
  );
  for (const [id, requires] of Object.entries(migrations)) {
    sound[id] = requires;
    try {
      graphOf(sound);
    } catch (error) {
      if (!isGodwitError(error, "GRAPH_CYCLE")) throw error;
      sound[id] = [];
    }
  }
  return graphOf(sound);
}

const everything = (): boolean => true;
const ids = (nodes: readonly { id: string }[]): string[] => nodes.map(({ id }) => id);

describe("pendingOf", () => {
  const chain = graphOf({ a1: null, a2: null, a3: null, a4: null });

  it("is the set of ids not applied, one before the last applied too", () => {
    expect(ids(pendingOf(chain, "app", new Set(["a1", "a3"])))).toEqual(["a2", "a4"]);
  });

  it("stops at `to`, and counts `step` from the first pending one", () => {
    expect(ids(pendingOf(chain, "app", new Set(["a1"]), { to: "a3" }))).toEqual(["a2", "a3"]);
    expect(ids(pendingOf(chain, "app", new Set(["a1"]), { step: 1 }))).toEqual(["a2"]);
    expect(ids(pendingOf(chain, "app", new Set(["a3"]), { to: "a3", step: 5 }))).toEqual(["a1", "a2"]);
    expect(pendingOf(chain, "app", new Set(["a1", "a2", "a3"]), { to: "a3" })).toEqual([]);
  });

  it("takes with `to` what it requires though later by id, and leaves out what only stands before it", () => {
    const graph = graphOf({ a1: null, a2: ["a6"], a4: ["a1"], a5: ["a1"], a6: ["a5"] });
    expect(ids(graph.byStream.get("app")!.toSorted((a, b) => a.position - b.position))).toEqual([
      "a1",
      "a4",
      "a5",
      "a6",
      "a2",
    ]);
    expect(ids(pendingOf(graph, "app", new Set(), { to: "a2" }))).toEqual(["a1", "a5", "a6", "a2"]);
  });

  it("takes no migration without those that it requires", () => {
    const all = ["1", "2", "3", "4", "5", "6"];
    const requires = fc.option(fc.uniqueArray(fc.constantFrom(...all), { maxLength: 2 }), { nil: null });
    fc.assert(
      fc.property(
        fc.tuple(...all.map(() => requires)),
        fc.constantFrom(...all),
        fc.nat(6),
        (lists, to, step) => {
          const graph = soundGraphOf(Object.fromEntries(all.map((id, index) => [id, lists[index]!])));
          const chosen = new Set(
            ids(pendingOf(graph, "app", new Set(), { to, step: step === 0 ? undefined : step })),
          );
          expect(step > 0 || chosen.has(to)).toBe(true);
          const needed = [...chosen].flatMap((id) => {
            const node = findNode(graph, "app", id);
            return node.chained ? all.filter((other) => other < id) : ids(node.requires);
          });
          expect(needed.filter((id) => !chosen.has(id))).toEqual([]);
        },
      ),
    );
  });

  it("says what was probably meant by an unknown id or stream", () => {
    const graph = graphOf({ "20260101000000_users": null, "20260102000000_orders": null });
    expect(() => pendingOf(graph, "app", new Set(), { to: "20260101" })).toThrow(
      expect.objectContaining({ code: "MIGRATION_UNKNOWN", hint: "did you mean `20260101000000_users`?" }),
    );
    expect(() => pendingOf(graph, "ap", new Set())).toThrow(
      expect.objectContaining({ code: "STREAM_UNKNOWN", hint: "did you mean `app`?" }),
    );
    expect(() => pendingOf(graph, "app", new Set(), { step: 0 })).toThrow(
      expect.objectContaining({ code: "USAGE" }),
    );
  });
});

describe("unmetRequirements", () => {
  it("finds what another stream must apply first", () => {
    const graph = graphOf({ a1: ["s1"], a2: null });
    const selected = pendingOf(graph, "app", new Set());
    const unmet = unmetRequirements(graph, selected, () => false);
    expect(unmet.map(({ node, requirement }) => [node.id, requirement.stream, requirement.id])).toEqual([
      ["a1", "shared", "s1"],
    ]);
    expect(unmetRequirements(graph, selected, (stream) => stream === "shared")).toEqual([]);
  });
});

describe("dependentsOf", () => {
  it("finds those that name it, across streams, and those that name nothing and are later", () => {
    const graph = graphOf({ a1: null, a2: ["a1"], a3: ["s1"], a4: null });
    expect(ids(dependentsOf(graph, findNode(graph, "app", "a1"), everything))).toEqual(["a2", "a4"]);
    expect(ids(dependentsOf(graph, findNode(graph, "shared", "s1"), everything))).toEqual(["a3"]);
    expect(dependentsOf(graph, findNode(graph, "app", "a1"), (_, id) => id === "a3")).toEqual([]);
  });
});
