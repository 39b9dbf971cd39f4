import { describe, expect, it } from "vitest";
import { parseSql } from "./parser.ts";
import { keywordsOf, StatementRewrite } from "./rewrite.ts";

async function renamed(sql: string): Promise<string | null> {
  const parsed = await parseSql(sql);
  const node = parsed.ok ? parsed.statements[0]?.node : undefined;
  if (node === undefined || !("CreateStmt" in node)) throw new Error("no CREATE TABLE");
  const rewrite = new StatementRewrite(sql, node);
  const { relation } = node.CreateStmt;
  rewrite.replaceNameAt(relation?.location, '"x y".t');
  rewrite.node.CreateStmt.relation = {
    schemaname: "x y",
    relname: "t",
    inh: true,
    relpersistence: relation?.relpersistence ?? "p",
  };
  return rewrite.result();
}

describe("a statement with another name", () => {
  it.each([
    ["CREATE TABLE t (a int)", 'CREATE TABLE "x y".t (a int)'],
    [
      'create /* t */ table if not exists app . "T" -- t\n(t int)',
      'create /* t */ table if not exists "x y".t -- t\n(t int)',
    ],
    [
      "/* Größe 🐦 */ CREATE TABLE größe (t text DEFAULT 't')",
      "/* Größe 🐦 */ CREATE TABLE \"x y\".t (t text DEFAULT 't')",
    ],
    ["\ufeffCREATE TABLE a\r\n(a int)", '\ufeffCREATE TABLE "x y".t\r\n(a int)'],
  ])("keeps the rest of %j", async (sql, expected) => {
    expect(await renamed(sql)).toBe(expected);
  });

  it("is none where the new text does not read as the changed tree", async () => {
    expect(await renamed(String.raw`CREATE TABLE U&"d!0061ta" UESCAPE '!' (a int)`)).toBeNull();
    const parsed = await parseSql("CREATE TABLE t (a int)");
    const node = parsed.ok ? parsed.statements[0]!.node : null;
    const rewrite = new StatementRewrite("CREATE TABLE t (a int)", node!);
    rewrite.replaceNameAt(13, "u");
    expect(await rewrite.result()).toBeNull();
    const missing = new StatementRewrite("CREATE TABLE t (a int)", node!);
    missing.replaceNameBehind(["create", "view"], "u");
    expect(await missing.result()).toBeNull();
  });
});

describe("keywords that follow each other", () => {
  it.each([
    ["create type t", ["create", "type"], "create type"],
    ["CREATE /* create type */ Type t", ["create", "type"], "CREATE /* create type */ Type"],
    ["create or replace function f", ["create", "function"], null],
    ["owned by owned owned by", ["owned", "owned", "by"], "owned owned by"],
    ["select 'with data' with data", ["with", "data"], "with data"],
  ])("in %j", (sql, keywords, expected) => {
    const found = keywordsOf(sql, keywords);
    expect(found === null ? null : sql.slice(found.start, found.end)).toBe(expected);
  });
});
