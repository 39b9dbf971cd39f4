import { describe, expect, it } from "vitest";
import { didYouMean, suggestion } from "./did-you-mean.ts";
import { VERBS } from "./verbs.ts";

const words = VERBS.flatMap(({ name, aliases }) => [name, ...aliases]);

describe("did you mean", () => {
  it.each([
    ["statsu", "status"],
    ["stat", "status"],
    ["histroy", "history"],
    ["migrat", "migrate"],
    ["UP", "up"],
    ["baselin", "baseline"],
    ["verfiy", "verify"],
    ["pu", "up"],
    ["dow", "down"],
  ])("%s: %s", (typed, meant) => {
    expect(didYouMean(typed, words)[0]).toBe(meant);
  });

  it.each(["frobnicate", "x", "", "rollback!!", "entrypoint"])(
    "offers nothing far-fetched for %j",
    (typed) => {
      expect(suggestion(typed, words)).toBeUndefined();
    },
  );

  it("works for flags, whose dashes do not count as letters", () => {
    expect(didYouMean("--lokc-wait", ["--lock-wait", "--lock-timeout", "--json"])[0]).toBe("--lock-wait");
    expect(didYouMean("--x", ["--to", "--id", "--json"])).toEqual([]);
  });

  it("offers at most three", () => {
    expect(didYouMean("aaaa", ["aaab", "aaac", "aaad", "aaae"])).toHaveLength(3);
  });
});
