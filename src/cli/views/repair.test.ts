import { describe, expect, it } from "vitest";
import type { RepairResult } from "../../api/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderRepair } from "./repair.ts";

function found(...needsPerson: readonly boolean[]): RepairResult {
  return {
    runId: null,
    repaired: [],
    remaining: needsPerson.map((needs, at) => ({
      target: "shop",
      id: `${at}_a`,
      problem: "half_applied",
      explanation: "1 step of its up is done",
      needsPerson: needs,
      choices: [{ command: "godwit up", effect: "goes on" }],
    })),
  };
}

describe("what repair found", () => {
  it("tells what goes on by itself from what needs a person", () => {
    expect(renderRepair(found(false), undefined, viewContextOf())).toBe(`✓ nothing needs repair

· shop/0_a: 1 step of its up is done
    godwit up
      goes on
`);
    const both = renderRepair(found(true, false), undefined, viewContextOf());
    expect(both).toContain("✗ shop/0_a");
    expect(both).toContain("· shop/1_a");
    expect(both).not.toContain("nothing needs repair");
  });
});
