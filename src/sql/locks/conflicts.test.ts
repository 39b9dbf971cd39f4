import { describe, expect, it } from "vitest";
import { conflictsOf, courtesyOf, stronger } from "./conflicts.ts";
import { LOCK_MODES } from "./types.ts";

describe("lock modes", () => {
  it("keep each other out as the manual's table 13.2 says, row by row", () => {
    const rows = LOCK_MODES.map((mode) =>
      LOCK_MODES.map((other) => (conflictsOf(mode).includes(other) ? "X" : ".")).join(""),
    );
    expect(rows).toEqual([
      ".......X",
      "......XX",
      "....XXXX",
      "...XXXXX",
      "..XX.XXX",
      "..XXXXXX",
      ".XXXXXXX",
      "XXXXXXXX",
    ]);
  });

  it("queue others up from SHARE on", () => {
    expect(LOCK_MODES.map(courtesyOf)).toEqual([
      "none",
      "none",
      "none",
      "patient",
      "queueing",
      "queueing",
      "queueing",
      "queueing",
    ]);
  });

  it("have a stronger one of two", () => {
    expect(stronger("SHARE", "ROW SHARE")).toBe("SHARE");
    expect(stronger("SHARE", "EXCLUSIVE")).toBe("EXCLUSIVE");
  });
});
