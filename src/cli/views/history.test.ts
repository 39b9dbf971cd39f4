import { describe, expect, it } from "vitest";
import type { HistoryEntry } from "../../api/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderHistory } from "./history.ts";

function entry(seq: number, more: Partial<HistoryEntry>): HistoryEntry {
  return {
    seq,
    at: "2026-03-01T11:00:00.000000Z",
    level: "info",
    event: "migration.applied",
    id: "1_users",
    message: "applied 1_users",
    runId: "0190c1a0-0000-7000-8000-00000000abcd",
    by: "alice@ci-7",
    details: {},
    ...more,
  };
}

function historyOf(...entries: readonly HistoryEntry[]) {
  return { targets: [{ target: "shop", database: "shop on 127.0.0.1:5432", entries }] };
}

describe("the log", () => {
  it("has the newest entry last, the id once, who did it and in which run", () => {
    const result = historyOf(
      entry(2, { level: "error", message: "failed: no\u001b[2J of 1_users here" }),
      entry(3, {}),
      entry(1, { id: null, message: "up holds the lock", runId: null, by: null }),
    );
    expect(renderHistory(result, viewContextOf())).toBe(`shop: shop on 127.0.0.1:5432
1  2026-03-01 11:00:00Z           up holds the lock
2  2026-03-01 11:00:00Z  1_users  failed: no of 1_users here  alice@ci-7  run 00000000abcd
3  2026-03-01 11:00:00Z  1_users  applied                     alice@ci-7  run 00000000abcd
`);
  });

  it("keeps entries for debugging to --verbose", () => {
    const result = historyOf(entry(1, { level: "debug", message: "step 1 of 2" }), entry(2, {}));
    expect(renderHistory(result, viewContextOf())).not.toContain("step 1 of 2");
    expect(renderHistory(result, viewContextOf({ verbose: true }))).toContain("step 1 of 2");
  });

  it("tells what a step came to", () => {
    const steps = ["intended", "finished", "failed"].map((what, at) =>
      entry(at, { level: "debug", event: `step.${what}`, message: "step 1 of 2" }),
    );
    const shown = renderHistory(historyOf(...steps), viewContextOf({ verbose: true }));
    for (const what of ["intended", "finished", "failed"]) expect(shown).toContain(`step 1 of 2 ${what} `);
  });

  it("gives the reason of a repair and of a baseline, and of nothing else", () => {
    const repair = {
      event: "repair.forgotten",
      message: "forgot 1_users",
      details: { reason: "squashed\u001b[2J" },
    };
    const baseline = { event: "migration.baseline", message: "taken as applied: 1_users" };
    const shown = renderHistory(
      historyOf(
        entry(1, repair),
        entry(2, { ...baseline, details: { reason: "there before" } }),
        entry(3, { ...baseline, details: { reason: null } }),
        entry(4, { details: { reason: "pending" } }),
      ),
      viewContextOf(),
    );
    expect(shown).toContain("forgot: squashed ");
    expect(shown).toContain("taken as applied: there before ");
    expect(shown).toMatch(/3 .* taken as applied {2,}alice/);
    expect(shown).toMatch(/4 .* applied {2,}alice/);
  });

  it("says when there is none", () => {
    expect(renderHistory(historyOf(), viewContextOf())).toContain("nothing was done here yet");
    expect(renderHistory(historyOf(), viewContextOf(), "nope")).toContain("nothing of nope");
  });
});
