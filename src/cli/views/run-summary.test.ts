import { describe, expect, it } from "vitest";
import { GodwitError } from "../../core/error.ts";
import { applied, runResult, targetRun } from "../testing/sample-results.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderRunSummary } from "./run-summary.ts";

const context = viewContextOf();
const ups = [applied("a"), applied("b")];
const failure = new GodwitError("MIGRATION_FAILED", "broken");

describe("the end of a run", () => {
  it.each([
    ["up", ups, "✓ 2 migrations applied in 34 ms\n"],
    ["up", [], "✓ nothing pending on shop on 127.0.0.1:5432\n"],
    ["down", [applied("b", "down")], "✓ 1 migration taken back in 34 ms\n"],
    ["redo", [applied("b", "down"), applied("b")], "✓ 1 migration taken back, 1 applied again in 34 ms\n"],
    ["baseline", ups, "✓ 2 migrations marked as applied, none was run in 34 ms\n"],
  ] as const)("%s", (verb, migrations, line) => {
    expect(renderRunSummary(runResult(targetRun(migrations)), verb, context)).toBe(line);
  });

  it("says how many objects were there already", () => {
    const some = { ...applied("a"), tolerated: ["table public.a", "index public.i"] };
    expect(renderRunSummary(runResult(targetRun([some, applied("b")])), "up", context)).toBe(
      "✓ 2 migrations applied, 2 objects there already in 34 ms\n",
    );
  });

  it("says what a failed run did before it failed", () => {
    expect(renderRunSummary(runResult(targetRun(ups, { error: failure })), "up", context)).toBe(
      "✗ failed; 2 migrations applied before that and kept in 34 ms\n",
    );
    expect(renderRunSummary(runResult(targetRun([], { error: failure })), "up", context)).toContain(
      "nothing was changed",
    );
    expect(
      renderRunSummary(runResult(targetRun([], { error: failure, unfinished: "x" })), "up", context),
    ).toBe("✗ failed; x stopped on its way and waits to go on in 34 ms\n");
  });

  it("sums several targets up", () => {
    const result = runResult(
      targetRun(ups, { target: "a" }),
      targetRun([], { target: "b", error: failure }),
      targetRun([], { target: "c", skipped: "b failed" }),
    );
    expect(renderRunSummary(result, "up", context).split("\n")).toEqual([
      "✓ a: 2 migrations applied in 34 ms",
      "✗ b: broken; nothing was changed in 34 ms",
      "- c: skipped: b failed",
      "2 migrations on 3 targets, 1 of them failed in 40 ms",
      "",
    ]);
  });
});
