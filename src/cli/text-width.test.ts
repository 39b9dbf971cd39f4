import { assert, nat, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { oneLine, pad, textWidth, truncate } from "./text-width.ts";

describe("the width of text", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["表", 2],
    ["ユーザー", 8],
    ["🚀", 2],
    ["\u001b[31mred\u001b[39m", 3],
    ["a\u200bb", 2],
  ])("of %j is %i", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  it("is never exceeded by what truncate returns", () => {
    assert(
      property(string({ unit: "grapheme" }), nat(40), (text, width) => {
        expect(textWidth(truncate(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("shows that something was cut", () => {
    expect(truncate("abcdef", 4)).toBe("abc…");
    expect(truncate("表表表", 4)).toBe("表…");
    expect(truncate("abc", 3)).toBe("abc");
    expect(truncate("abc", 0)).toBe("");
  });

  it("pads by columns, not by characters", () => {
    expect(pad("表", 4)).toBe("表  ");
    expect(pad("7", 3, "right")).toBe("  7");
    expect(pad("long", 2)).toBe("long");
  });

  it("makes foreign text harmless: one line, nothing that moves the cursor", () => {
    expect(oneLine("a\n\tb\u001b[2Jc\u0007d\r")).toBe("a bc d");
  });
});
