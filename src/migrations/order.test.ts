import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareIds, sortById } from "./order.ts";

/** The last and the first character of each length that UTF-8 knows, and those around the surrogates. */
const EDGES = [
  "a",
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
];

describe("compareIds", () => {
  it("orders as the bytes of UTF-8 do, also beyond the basic plane", () => {
    const text = fc.string({ unit: fc.constantFrom(...EDGES), maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareIds(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it("is the order of sortById, with and without such characters", () => {
    const ids = fc.array(
      fc.string({ unit: fc.constantFrom("a", "Z", "_", "-", "\u{FFFD}", "\u{1F600}"), maxLength: 3 }),
    );
    fc.assert(
      fc.property(ids, (list) => {
        const sorted = sortById(list.map((id) => ({ id }))).map(({ id }) => id);
        expect(sorted).toEqual(list.toSorted(compareIds));
      }),
    );
  });

  it("puts U+FFFD before U+1F600, unlike the comparison of strings", () => {
    expect(["\u{1F600}", "\u{FFFD}", "Z", "a", "_"].sort(compareIds)).toEqual([
      "Z",
      "_",
      "a",
      "\u{FFFD}",
      "\u{1F600}",
    ]);
  });
});
