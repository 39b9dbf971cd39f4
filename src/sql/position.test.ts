import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { characterOffset, offsetToPosition, PositionWalker } from "./position.ts";

describe("offsetToPosition", () => {
  it.each([
    ["ab\ncd", 4, 2, 2],
    ["ab\r\ncd", 4, 2, 1],
    ["ab\rcd", 3, 2, 1],
    ["é😀x", 3, 1, 3],
    ["\ufeffx", 1, 1, 1],
    ["a\tb", 2, 1, 3],
    ["a", 99, 1, 2],
  ])("%j at %i is %i:%i", (text, offset, line, column) => {
    expect(offsetToPosition(text, offset)).toEqual({ line, column });
  });
  it("counts on from where the text begins in its file", () => {
    expect(offsetToPosition("ab", 1, { line: 7, column: 3 })).toEqual({ line: 7, column: 4 });
    expect(offsetToPosition("a\nb", 2, { line: 7, column: 3 })).toEqual({ line: 8, column: 1 });
  });
});

describe("PositionWalker", () => {
  it("gives the same in any order of asking", () => {
    const piece = fc.constantFrom("a", "é", "😀", "\n", "\r\n", "\r", "\t");
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(40)), (pieces, offsets) => {
        const text = pieces.join("");
        const walker = new PositionWalker(text);
        for (const offset of offsets) expect(walker.to(offset)).toEqual(offsetToPosition(text, offset));
      }),
    );
  });
});

describe("characterOffset", () => {
  it("counts an emoji as one character", () => {
    expect(characterOffset("a😀b", 2)).toBe(3);
    expect(characterOffset("ab", 9)).toBe(2);
  });
});
