import { describe, expect, it } from "vitest";
import { styleFor, wantsColour } from "./style.ts";

describe("colour", () => {
  it.each([
    ["auto", true, {}, true],
    ["auto", false, {}, false],
    ["auto", true, { NO_COLOR: "1" }, false],
    ["auto", true, { NO_COLOR: "" }, true],
    ["auto", false, { FORCE_COLOR: "1" }, true],
    ["auto", false, { FORCE_COLOR: "" }, true],
    ["auto", true, { FORCE_COLOR: "0" }, false],
    ["auto", true, { FORCE_COLOR: "false" }, false],
    ["auto", true, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    ["auto", true, { TERM: "dumb" }, false],
    ["always", false, { NO_COLOR: "1" }, true],
    ["never", true, { FORCE_COLOR: "1" }, false],
  ] as const)("--color %s, terminal %s, %j: %s", (mode, isTTY, env, wanted) => {
    expect(wantsColour(mode, { isTTY }, env)).toBe(wanted);
  });

  it("adds nothing when off", () => {
    expect(styleFor(false).red("x")).toBe("x");
    expect(styleFor(true).red("x")).toBe("\u001b[31mx\u001b[39m");
  });
});
