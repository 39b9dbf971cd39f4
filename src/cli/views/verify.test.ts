import { expect, it } from "vitest";
import type { VerifyTarget } from "../../api/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderVerify } from "./verify.ts";

const NONE = { changed: [], downChanged: [], reformatted: [], missing: [] };

function shown(found: Partial<VerifyTarget>): string {
  const target = {
    target: "shop",
    database: "d",
    entries: 9,
    brokenAt: null,
    reason: null,
    ...NONE,
    ...found,
  };
  return renderVerify({ targets: [target] }, viewContextOf());
}

it("says that nothing was edited only where that is so", () => {
  expect(shown({})).toContain("✓ no applied file was edited");
  expect(shown({ changed: ["a"] })).not.toContain("✓ no applied");
  const down = shown({ downChanged: ["a"] });
  expect(down).not.toContain("✓ no applied");
  expect(down).toMatch(/! its way down was edited; the stored one is what runs: a\nnext: godwit repair\n$/);
});

it("tells a comment, which nobody has to do anything about", () => {
  expect(shown({ reformatted: ["a"] })).toMatch(
    /✓ no applied file was edited\n {2}· only comments or white space: a\n$/,
  );
});
