import { describe, expect, it } from "vitest";
import { closest, didYouMean } from "./similar.ts";

describe("closest", () => {
  it.each([
    ["dwon", ["up", "down"], "down"],
    ["require", ["requires", "check"], "requires"],
    ["lock_timeuot", ["lock_timeout", "statement_timeout"], "lock_timeout"],
    ["UP", ["up", "down"], "up"],
    ["old", ["up", "down"], null],
    ["xylophone", ["up", "down"], null],
  ])("takes %s among %j as %s", (word, candidates, expected) => {
    expect(closest(word, candidates)).toBe(expected);
  });

  it("says what it was given when nothing is near", () => {
    expect(didYouMean("quux", ["up"], "see the list")).toBe("see the list");
    expect(didYouMean("chek", ["check"], "")).toBe("did you mean `check`?");
  });
});
