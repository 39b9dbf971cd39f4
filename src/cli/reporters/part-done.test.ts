import { expect, it } from "vitest";
import { GodwitError } from "../../core/error.ts";
import type { GodwitEvent } from "../../core/events.ts";
import { PartDone } from "./part-done.ts";

const about = { target: "t", id: "1_a", direction: "up" } as const;
const started: GodwitEvent = {
  type: "migration.started",
  ...about,
  index: 1,
  total: 1,
  description: "",
  statements: 2,
  retry: false,
  resumes: false,
};
const finished: GodwitEvent = {
  type: "statement.finished",
  ...about,
  ordinal: 1,
  tag: "VACUUM",
  durationMs: 1,
  rows: null,
};
const skipped: GodwitEvent = { type: "statement.skipped", ...about, ordinal: 1, tag: "VACUUM", reason: "" };
const failed = (rolledBack: boolean): GodwitEvent => ({
  type: "migration.failed",
  ...about,
  error: new GodwitError("MIGRATION_FAILED", "broken"),
  rolledBack,
  durationMs: 1,
});

it.each([
  ["a later step failed", [started, finished, failed(false)], true],
  ["a later step failed, the first was done before", [started, skipped, failed(false)], true],
  ["the first step failed", [started, failed(false)], false],
  ["all was rolled back", [started, finished, failed(true)], false],
  ["it failed and runs again", [started, finished, failed(false), started], false],
  ["nothing failed", [started, finished], false],
])("%s", (_, events, expected) => {
  const part = new PartDone();
  for (const event of events) part.see(event);
  expect(part.has("t", "1_a")).toBe(expected);
  expect(part.has("u", "1_a")).toBe(false);
});
