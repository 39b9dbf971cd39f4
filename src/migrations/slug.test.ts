import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slugOf } from "./slug.ts";

describe("slugOf", () => {
  it.each([
    ["add users", "add_users"],
    ["AddUserIndex", "add_user_index"],
    ["  Größe & Straße (2) ", "grosse_strasse_2"],
    ["crème brûlée", "creme_brulee"],
    ["Łódź", "lodz"],
    ["../../etc/passwd", "etc_passwd"],
    ["用户", ""],
    ["x".repeat(200), "x".repeat(80)],
    [`${"x".repeat(79)} y`, "x".repeat(79)],
  ])("makes of %j %j", (text, slug) => {
    expect(slugOf(text)).toBe(slug);
  });

  it("is always a plain file name, and its own slug", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const slug = slugOf(text);
        expect(slug).toMatch(/^(?:[a-z0-9]+(?:_[a-z0-9]+)*)?$/);
        expect(slug.length).toBeLessThanOrEqual(80);
        expect(slugOf(slug)).toBe(slug);
      }),
    );
  });
});
