import { describe, expect, it } from "vitest";
import { waitOrder } from "./wait-order.ts";

/** `b<a` waits for a; the tree as lines with a blank for each level, a circle marked. */
function treeOf(...waiters: readonly string[]): string[] {
  return waitOrder(
    waiters.map((waiter) => {
      const [id, others = ""] = waiter.split("<");
      return { id: id!, waitsFor: others.split(",").filter((other) => other !== "") };
    }),
  ).map(({ id, depth, circle }) => `${" ".repeat(depth)}${id}${circle ? "*" : ""}`);
}

describe("the order of who waits for whom", () => {
  it("has roots first, each followed by those who wait for it, brothers as given", () => {
    expect(treeOf("d<a", "c<b", "b<a", "a", "x", "y<x")).toEqual(["a", " d", " b", "  c", "x", " y"]);
  });

  it("has everybody once, under the last of those it waits for", () => {
    expect(treeOf("a", "b<a", "c<a,b", "d<a")).toEqual(["a", " b", "  c", " d"]);
    expect(treeOf("a", "b", "c<a,b")).toEqual(["a", " c", "b"]);
  });

  it("enters circles at the first given, also below a root", () => {
    expect(treeOf("b<a", "a<b")).toEqual(["b*", " a"]);
    expect(treeOf("r", "b<a", "a<b,r")).toEqual(["r", " a*", "  b"]);
    expect(treeOf("a<c", "b<a", "c<b", "d<b")).toEqual(["a*", " b", "  c", "  d"]);
  });

  it("takes no account of itself and of who is not there", () => {
    expect(treeOf("a<a,gone")).toEqual(["a"]);
    expect(treeOf()).toEqual([]);
  });

  it("ends with hundreds that wait in one row or for one", () => {
    const row = Array.from({ length: 300 }, (_, at) => (at === 0 ? "0" : `${at}<${at - 1}`));
    expect(treeOf(...row.toReversed()).at(-1)).toBe(`${" ".repeat(299)}299`);
  });
});
