import { describe, expect, it } from "vitest";
import type { GraphNodeResult } from "../../api/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderDot } from "./graph-dot.ts";
import { renderGraph } from "./graph.ts";
import { reduceRequirements } from "./requirements.ts";

function node(id: string, requires: readonly string[], more: Partial<GraphNodeResult> = {}): GraphNodeResult {
  return { stream: "shop", id, description: "", requires, state: null, ...more };
}

const diamond = [node("a", []), node("b", ["a"]), node("c", ["a"]), node("d", ["b", "c", "a"])];

describe("requirements", () => {
  it("leave out what follows from others", () => {
    expect(reduceRequirements(diamond).map(({ parents }) => parents)).toEqual([
      [],
      ["shop/a"],
      ["shop/a"],
      ["shop/c", "shop/b"],
    ]);
  });

  it("make a line of files that each require all earlier ones, even a thousand", () => {
    const ids = Array.from({ length: 1000 }, (_, at) => `m${at}`);
    const reduced = reduceRequirements(ids.map((id, at) => node(id, ids.slice(0, at))));
    expect(
      reduced.every(({ parents }, at) =>
        at === 0 ? parents.length === 0 : parents[0] === `shop/m${at - 1}`,
      ),
    ).toBe(true);
  });
});

describe("the graph", () => {
  it("is a line where the migrations are one", () => {
    const line = [node("a", []), node("b", ["a"], { description: "second" }), node("c", ["a", "b"])];
    expect(renderGraph({ nodes: line }, viewContextOf())).toBe("●  a\n●  b  second\n●  c\n");
  });

  it("draws branches and names what they require", () => {
    expect(renderGraph({ nodes: diamond }, viewContextOf()).split("\n")).toEqual([
      "●    a",
      "│ ●  b",
      "●    c  requires a".replace("●    c", "● │  c"),
      "● ╯  d  requires c, b",
      "",
    ]);
  });

  it("shows states, and streams where there are several", () => {
    const nodes = [
      node("a", [], { state: "applied" }),
      node("b", ["shop/a"], { stream: "tenant", state: "pending" }),
    ];
    expect(renderGraph({ nodes }, viewContextOf())).toBe("●  ✓ shop/a\n●  · tenant/b\n");
  });

  it("is DOT with every arrow once, names quoted", () => {
    const dot = renderDot({ nodes: [node('say "hi"', []), node("b", ['say "hi"'])] });
    expect(dot).toContain('"shop/say \\"hi\\"" -> "shop/b";');
    expect(dot.match(/->/g)).toHaveLength(1);
  });

  it("of nothing says so", () => {
    expect(renderGraph({ nodes: [] }, viewContextOf())).toBe("no migrations\n");
  });
});
