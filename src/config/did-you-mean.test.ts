import { expect, it } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

it.each([
  ["databse", ["database", "direct_url"], "database"],
  ["lockTimeout", ["lock_timeout", "max_blocking"], "lock_timeout"],
  ["LOCK-TIMEOUT", ["lock_timeout"], "lock_timeout"],
  ["hsot", ["port", "host"], "host"],
  ["up", ["wait", "upp"], "upp"],
  ["zebra", ["database", "direct_url"], null],
  ["x", [], null],
])("%s among %j → %s", (word, candidates, expected) => {
  expect(didYouMean(word, candidates)).toBe(expected);
});
