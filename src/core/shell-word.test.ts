import { expect, it } from "vitest";
import { shellWord } from "./shell-word.ts";

it.each([
  ["migrations/1_a.sql", "migrations/1_a.sql"],
  ["my migrations/1_a.sql", "'my migrations/1_a.sql'"],
  ["it's.sql", "'it'\\''s.sql'"],
  ["$(id)", "'$(id)'"],
  ["", "''"],
])("%j reaches a command as one word", (word, expected) => {
  expect(shellWord(word)).toBe(expected);
});
