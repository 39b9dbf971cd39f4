import { describe, expect, it } from "vitest";
import { parseSql } from "./parser.ts";

describe("parseSql", () => {
  it("gives offsets in units of JavaScript's strings", async () => {
    const text = "\ufeffselect 'é😀';\r\n\r\nselect\r\n2;";
    const outcome = await parseSql(text);
    if (!outcome.ok) throw new Error(outcome.fault.message);
    expect(outcome.statements.map(({ start, end }) => text.slice(start, end))).toEqual([
      "select 'é😀'",
      "select\r\n2",
    ]);
  });
  it("goes on working after many texts that overflow its stack", async () => {
    const tooDeep = `select 1${"+1".repeat(20_000)}`;
    for (let count = 0; count < 60; count += 1) {
      expect(await parseSql(tooDeep)).toMatchObject({ ok: false });
      expect(await parseSql("select 1")).toMatchObject({ ok: true });
    }
  });
});
