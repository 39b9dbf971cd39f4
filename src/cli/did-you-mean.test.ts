import { describe, expect, it } from "vitest";
import { suggestion } from "./did-you-mean.ts";
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
    expect(suggestion(typed, words)).toMatch(new RegExp(`^did you mean \`${meant}\``));
  });

  it.each(["frobnicate", "x", "", "rollback!!", "entrypoint"])(
    "offers nothing far-fetched for %j",
    (typed) => {
      expect(suggestion(typed, words)).toBeUndefined();
    },
  );
});
