import { describe, expect, it } from "vitest";
import { statementHash } from "./hash.ts";
import { parseSql } from "./parser.ts";

async function hashOf(sql: string): Promise<string> {
  const outcome = await parseSql(sql);
  if (!outcome.ok) throw new Error(outcome.fault.message);
  return statementHash(outcome.statements[0]!.node);
}

describe("statementHash", () => {
  it("is the same whatever the comments, white space, line ends and case of keywords", async () => {
    const hash = await hashOf("create table T (a int, b text default 'x')");
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    for (const sql of [
      "-- c\nCREATE   TABLE t\n(a INT /* x */, b TEXT DEFAULT 'x' -- y\n);",
      "\ufeffcreate table t (\r\n  a integer,\r\n  b text default 'x')",
    ]) {
      expect(await hashOf(sql)).toBe(hash);
    }
  });
  it("is the same for positions in lists and expressions", async () => {
    expect(await hashOf("SELECT ARRAY[1,2], a IN (1,2), :a[1] FROM t".replace(":", ""))).toBe(
      await hashOf("SELECT  ARRAY[ 1, 2 ],  a  IN  ( 1 , 2 ),  a[ 1 ]  FROM  t"),
    );
  });
  it.each([
    ["SELECT 'a'", "SELECT 'A'"],
    ["SELECT 1", "SELECT 2"],
    ["SELECT 1.0", "SELECT 1.00"],
    ["SELECT a", 'SELECT "A"'],
    ["CREATE TABLE t (a int)", "CREATE TABLE IF NOT EXISTS t (a int)"],
    ["DROP TABLE t", "DROP TABLE t CASCADE"],
    ["CREATE TABLESPACE a LOCATION '/x'", "CREATE TABLESPACE a LOCATION '/y'"],
    ["DO $$ begin end $$", "DO $$ begin  end $$"],
    ["SELECT E'a\\r\\nb'", "SELECT E'a\\nb'"],
    ["INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (2, 1)"],
  ])("tells %s from %s", async (one, other) => {
    expect(await hashOf(one)).not.toBe(await hashOf(other));
  });
  it("is the same for a function's body in a checkout with other line ends", async () => {
    expect(await hashOf("DO $$\r\nbegin\r\nend $$")).toBe(await hashOf("DO $$\nbegin\nend $$"));
  });
  it("does not change with a release: the history of users relies on it", async () => {
    expect(await hashOf("CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL DEFAULT 'x')")).toBe(
      "sha256:6f89f7469ad92daccc756cf359de510a5917082054e7c63fadc3926f45e0c7e3",
    );
  });
});
