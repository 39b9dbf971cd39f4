import { expect, it } from "vitest";
import { splitSql } from "../sql/split.ts";
import { wayToDecide } from "./decidable.ts";

it.each([
  [
    "CREATE INDEX CONCURRENTLY i ON a.t (x)",
    { kind: "index", index: { action: "create", schema: "a", name: "i" } },
  ],
  ["DROP INDEX CONCURRENTLY i", { kind: "index", index: { action: "drop", schema: null, name: "i" } }],
  ["CREATE INDEX CONCURRENTLY ON t (x)", null],
  ["VACUUM t", { kind: "again", tag: "VACUUM" }],
  ["REINDEX INDEX CONCURRENTLY i", { kind: "again", tag: "REINDEX" }],
  ["ALTER SYSTEM SET work_mem = '1MB'", { kind: "again", tag: "ALTER SYSTEM" }],
  ["CREATE DATABASE d", null],
  ["CALL p()", null],
])("%s: %j", async (sql, way) => {
  const { statements } = await splitSql(sql);
  expect(await wayToDecide({ kind: "standalone", ordinal: 1, statement: statements[0]! })).toEqual(way);
});

it("of code and of a transaction there is none", async () => {
  expect(await wayToDecide({ kind: "code", ordinal: 1, transaction: false })).toBeNull();
  const { statements } = await splitSql("VACUUM t");
  expect(await wayToDecide({ kind: "transaction", ordinal: 1, statements })).toBeNull();
});
