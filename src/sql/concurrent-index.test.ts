import { describe, expect, it } from "vitest";
import { concurrentIndexOf } from "./concurrent-index.ts";

describe("concurrentIndexOf", () => {
  it.each([
    ["create index concurrently i on s.t (a)", { action: "create", schema: "s", name: "i" }],
    [
      'create unique index concurrently if not exists "I" on t (a)',
      { action: "create", schema: null, name: "I" },
    ],
    ["drop index concurrently if exists s.i", { action: "drop", schema: "s", name: "i" }],
    ["drop index concurrently i", { action: "drop", schema: null, name: "i" }],
    ["create index concurrently on t (a)", null],
    ["create index i on t (a)", null],
    ["drop index i", null],
    ["vacuum", null],
    ["", null],
    ["selec", null],
  ])("%s", async (sql, expected) => {
    expect(await concurrentIndexOf(sql)).toEqual(expected);
  });
});
