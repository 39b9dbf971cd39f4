import { expect, it } from "vitest";
import type { StepState } from "../history/types.ts";
import { splitSql } from "../sql/split.ts";
import { hadNoEffect, wayToDecide } from "./decidable.ts";

it.each([
  ["CREATE INDEX CONCURRENTLY i ON t (x)", "create index"],
  ["VACUUM t", "again"],
  ["CALL p()", undefined],
  ["DO $$ BEGIN COMMIT; END $$", undefined],
])("%s: %j", async (sql, kind) => {
  const { statements } = await splitSql(sql);
  expect((await wayToDecide(statements[0]!))?.kind).toBe(kind);
});

it.each<[string, StepState, readonly string[] | null, boolean]>([
  ["CALL p()", "failed", [""], true],
  ["CALL p()", "unknown", [""], false],
  ["CALL p()", "intended", [""], false],
  ["CALL p()", "failed", null, false],
  ["VACUUM", "failed", null, true],
])("%s that %s, hashes %j: without effect %j", async (sql, state, statementHashes, expected) => {
  const { statements } = await splitSql(sql);
  expect(hadNoEffect({ state, statementHashes }, statements[0]!)).toBe(expected);
});

it("of code, version 1 of the history did not tell", () => {
  expect(hadNoEffect({ state: "failed", statementHashes: null }, null)).toBe(false);
});
