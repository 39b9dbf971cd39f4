import { describe, expect, it } from "vitest";
import { styleFor } from "../style.ts";
import { statusOf, statusRow } from "../testing/sample-results.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { textWidth } from "../text-width.ts";
import { renderStatus } from "./status.ts";

const rows = [
  statusRow("20260101000000_users"),
  statusRow("20260102000000_orders", { flags: ["file_changed", "out_of_order"], executionMs: 1234 }),
  statusRow("20260103000000_payments", {
    state: "failed",
    appliedAt: null,
    executionMs: null,
    error: 'relation "x"\ndoes not exist',
  }),
  statusRow("20260104000000_refunds", { state: "pending", appliedAt: null, executionMs: null }),
  statusRow("sales", { kind: "repeatable" }),
];

describe("the table of status", () => {
  it("is read at a glance", () => {
    expect(renderStatus(statusOf(rows), viewContextOf(), false)).toBe(
      `shop: shop on 127.0.0.1:5432, PostgreSQL 18.4
  ✓  20260101000000_users     2 h ago  2026-03-01 10:00:00Z  12 ms
  !  20260102000000_orders    2 h ago  2026-03-01 10:00:00Z  1.2 s  file changed, out of order
  ✗  20260103000000_payments  failed
       relation "x" does not exist
  ·  20260104000000_refunds   pending
  ✓  sales                    2 h ago  2026-03-01 10:00:00Z  12 ms  repeatable

3 applied, 1 pending, 1 failed, 1 changed
next: godwit up
`,
    );
  });

  it("says that there is no history yet, and who holds the lock", () => {
    const shown = renderStatus(
      statusOf(rows, { historyVersion: null, lockedBy: "bob on ci-7" }),
      viewContextOf(),
      false,
    );
    expect(shown).toContain("PostgreSQL 18.4, no history yet\n");
    expect(shown).toContain("a run is at work: bob on ci-7");
  });

  it.each([
    ["NEEDS_REPAIR", "godwit repair"],
    ["CHECKSUM_MISMATCH", "godwit repair"],
    ["PENDING", "godwit up"],
  ] as const)("%s: next is %s", (code, command) => {
    expect(renderStatus(statusOf(rows, { code }), viewContextOf(), false)).toContain(`next: ${command}\n`);
  });

  it("goes on with a half taken back one before anything else", () => {
    const back = statusRow("1_a", { state: "half_applied", flags: ["half_taken_back"] });
    const shown = renderStatus(statusOf([back, ...rows], { code: "PENDING" }), viewContextOf(), false);
    expect(shown).toContain("half taken back");
    expect(shown).toContain("next: godwit down\n");
  });

  it.each([
    ["OK", "next: godwit repair\n"],
    ["PENDING", "next: godwit up\nnext: godwit repair\n"],
  ] as const)("says where a file is gone what to do about it: %s", (code, next) => {
    const gone = statusRow("1_a", { flags: ["file_missing"] });
    expect(renderStatus(statusOf([gone], { code }), viewContextOf(), false)).toMatch(
      new RegExp(`whose file is gone\n${next}$`),
    );
    const repeatable = statusRow("v", { kind: "repeatable", flags: ["file_missing"] });
    expect(renderStatus(statusOf([repeatable], { code }), viewContextOf(), false)).not.toContain("repair");
  });

  it("offers nothing when all is well", () => {
    expect(renderStatus(statusOf(rows.slice(0, 1)), viewContextOf(), false)).not.toContain("next:");
  });

  it.each([100, 60, 40, 30])("fits %i columns", (width) => {
    const wide = [...rows, statusRow("20260105000000_ユーザーの表")];
    const lines = renderStatus(statusOf(wide), viewContextOf({ width }), false).split("\n");
    const table = lines.filter((line) => /^ {2}[✓!✗·]/u.test(line));
    expect(table).toHaveLength(6);
    expect(Math.max(...table.map(textWidth))).toBeLessThanOrEqual(width);
  });

  it("folds a long list on a terminal, but never what needs attention", () => {
    const many = Array.from({ length: 500 }, (_, at) => statusRow(`m${String(at).padStart(4, "0")}`));
    const odd = statusRow("m0003_odd", { flags: ["file_missing"] });
    const result = statusOf([...many.slice(0, 4), odd, ...many.slice(4)]);
    const folded = renderStatus(result, viewContextOf({ width: 100 }), false);
    expect(folded).toContain("… 490 more applied");
    expect(folded).toContain("m0003_odd");
    expect(folded).toContain("m0499");
    expect(folded).not.toContain("m0002 ");
    expect(renderStatus(result, viewContextOf({ width: 100 }), true).split("\n")).toHaveLength(506);
    expect(renderStatus(result, viewContextOf(), false)).toContain("m0002 ");
  });

  it("cannot be disturbed by what stands in a database", () => {
    const shown = renderStatus(
      statusOf([statusRow("a\u001b[2J\nb", { state: "failed", error: "\u001b]0;title\u0007x" })]),
      viewContextOf({ style: styleFor(false) }),
      false,
    );
    expect(shown).not.toContain("\u001b");
    expect(shown).toContain("a b");
  });

  it("prints nothing with --quiet", () => {
    expect(renderStatus(statusOf(rows), viewContextOf({ quiet: true }), false)).toBe("");
  });
});
