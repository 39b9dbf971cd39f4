import { describe, expect, it } from "vitest";
import { excerpt, serverPosition } from "./excerpt.ts";

describe("excerpt", () => {
  it("shows the lines around with a caret", () => {
    expect(excerpt("a\nb\nc\nselect x\ne\nf", 4, 8)).toBe(
      ["2 | b", "3 | c", "4 | select x", "  |        ^", "5 | e"].join("\n"),
    );
  });
  it("numbers the lines of a part as in its file", () => {
    expect(excerpt("a\r\nb\r\nc", 2, 1, { firstLine: 9 })).toBe(
      [" 9 | a", "10 | b", "   | ^", "11 | c"].join("\n"),
    );
  });
  it("puts the caret right behind tabs, wide characters and marks", () => {
    expect(excerpt("\ta", 1, 2)).toBe("1 |     a\n  |     ^");
    expect(excerpt("日本😀x", 1, 4)).toBe("1 | 日本😀x\n  |       ^");
    expect(excerpt("e\u0301x", 1, 3)).toBe("1 | e\u0301x\n  |  ^");
  });
  it("cuts long lines to a window around the place", () => {
    const long = `${"x".repeat(500)} ERR ${"y".repeat(500)}`;
    for (const column of [1, 30, 502, 1005]) {
      const [shown = "", caret = ""] = excerpt(long, 1, column, { width: 40 }).split("\n");
      expect(shown.length).toBeLessThanOrEqual("1 | ".length + 41);
      const under = shown[caret.indexOf("^")];
      expect(under ?? "").toBe(long[column - 1] ?? "");
    }
  });
  it("keeps the caret under its place where the cut halves a wide character", () => {
    const long = `${"日".repeat(100)}ERR${"本".repeat(100)}`;
    for (const width of [40, 41, 42, 43]) {
      const [shown = "", caret = ""] = excerpt(long, 1, 101, { width }).split("\n");
      const before = shown.slice(0, shown.indexOf("ERR"));
      const wide = before.split("日").length - 1;
      expect(before.length + wide).toBe(caret.indexOf("^"));
    }
  });
  it("lets no control character out", () => {
    expect(excerpt("a\u001b[31mb\u202e", 1, 2)).toBe("1 | a·[31mb·\n  |  ^");
  });
  it("takes places beyond the text", () => {
    expect(excerpt("a", 7, 9)).toBe("1 | a\n  |  ^");
    expect(excerpt("", 1, 1)).toBe("1 |\n  | ^");
  });
});

describe("serverPosition", () => {
  it("counts characters of the statement, from where it stands in the file", () => {
    const statement = { sql: "é😀 x\r\n  bad", line: 10, column: 5 };
    expect(serverPosition(statement, 1)).toEqual({ line: 10, column: 5 });
    expect(serverPosition(statement, 4)).toEqual({ line: 10, column: 8 });
    expect(serverPosition(statement, 9)).toEqual({ line: 11, column: 3 });
    expect(serverPosition(statement, 99)).toEqual({ line: 11, column: 6 });
  });
});

it("hides a password, and the caret keeps its place", () => {
  expect(excerpt("CREATE ROLE a PASSWORD 'käse' x;", 1, 31)).toBe(
    "1 | CREATE ROLE a PASSWORD '****' x;\n  |                               ^",
  );
});
