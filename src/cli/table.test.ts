import { describe, expect, it } from "vitest";
import { renderTable, type Column } from "./table.ts";
import { textWidth } from "./text-width.ts";

const columns: readonly Column[] = [{ drop: 0, shrink: true }, { drop: 2, align: "right" }, { drop: 1 }];
const rows = [
  [{ text: "20260101_a" }, { text: "5 ms" }, { text: "file changed" }],
  [{ text: "20260102_longer" }, { text: "1.2 s" }, { text: "" }],
];

const paint = (text: string) => `<${text}>`;

describe("a table", () => {
  it("lines its columns up and leaves no space at the end", () => {
    expect(renderTable(columns, rows, 0)).toEqual([
      "20260101_a        5 ms  file changed",
      "20260102_longer  1.2 s",
    ]);
  });

  it("drops columns in their order before it cuts any", () => {
    expect(renderTable(columns, rows, 30)).toEqual(["20260101_a       file changed", "20260102_longer"]);
    expect(renderTable(columns, rows, 16)).toEqual(["20260101_a", "20260102_longer"]);
  });

  it("cuts the column that may be cut", () => {
    const lines = renderTable(columns, rows, 13);
    expect(lines).toEqual(["20260101_a", "20260102_lon…"]);
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(13);
  });

  it("measures before it paints, and leaves empty columns out", () => {
    expect(
      renderTable(
        [{ drop: 0 }, { drop: 0 }, { drop: 0 }],
        [[{ text: "a", paint }, { text: "" }, { text: "表" }]],
        0,
      ),
    ).toEqual(["<a>  表"]);
  });

  it("is empty without rows", () => {
    expect(renderTable(columns, [], 80)).toEqual([]);
  });
});
