import { describe, expect, it } from "vitest";
import { closest, didYouMean, similar } from "./similar.ts";

describe("closest", () => {
  it.each([
    ["dwon", ["up", "down"], "down"],
    ["require", ["requires", "check"], "requires"],
    ["lock_timeuot", ["lock_timeout", "statement_timeout"], "lock_timeout"],
    ["UP", ["up", "down"], "up"],
    ["old", ["up", "down"], null],
    ["xylophone", ["up", "down"], null],
    ["databse", ["database", "direct_url"], "database"],
    ["lockTimeout", ["lock_timeout", "max_blocking"], "lock_timeout"],
    ["LOCK-TIMEOUT", ["lock_timeout"], "lock_timeout"],
    ["hsot", ["port", "host"], "host"],
    ["up", ["wait", "upp"], "upp"],
    ["sslmdoe", ["sslmode", "sslcert"], "sslmode"],
    ["zebra", ["database", "direct_url"], null],
    ["x", [], null],
    ["", ["up"], null],
  ])("takes %s among %j as %s", (word, candidates, expected) => {
    expect(closest(word, candidates)).toBe(expected);
  });
});

describe("similar", () => {
  it("offers at most three, the best first", () => {
    expect(similar("aaaa", ["aaab", "aaac", "aaad", "aaae"])).toHaveLength(3);
    expect(similar("dow", ["dog", "down"])).toEqual(["down", "dog"]);
  });

  it("does not count the dashes of flags as letters", () => {
    expect(similar("--lokc-wait", ["--lock-wait", "--lock-timeout", "--json"])[0]).toBe("--lock-wait");
    expect(similar("--x", ["--to", "--id", "--json"])).toEqual([]);
  });
});

it("says what it was given when nothing is near", () => {
  expect(didYouMean("quux", ["up"], "see the list")).toBe("see the list");
  expect(didYouMean("chek", ["check"], "")).toBe("did you mean `check`?");
});
