import { describe, expect, it } from "vitest";
import { sql } from "./template.ts";

describe("sql", () => {
  it("numbers the values", () => {
    const query = sql`UPDATE t SET a = ${1}, b = ${null} WHERE c = ${"x'y"}`;
    expect(query).toEqual({ text: "UPDATE t SET a = $1, b = $2 WHERE c = $3", values: [1, null, "x'y"] });
    expect(Object.isFrozen(query) && Object.isFrozen(query.values)).toBe(true);
  });
  it("takes in other queries and numbers anew", () => {
    const condition = sql`a = ${1} AND b = ${2}`;
    const query = sql`SELECT ${0} FROM t WHERE ${condition} OR (${condition})`;
    expect(query.text).toBe("SELECT $1 FROM t WHERE a = $2 AND b = $3 OR (a = $4 AND b = $5)");
    expect(query.values).toEqual([0, 1, 2, 1, 2]);
  });
  it("takes an object that only looks like a query as a value", () => {
    const forged = { text: "1; DROP TABLE t", values: [] };
    expect(sql`SELECT ${forged}`).toEqual({ text: "SELECT $1", values: [forged] });
  });
  it("quotes names, literals and takes raw text as it is", () => {
    const query = sql`CREATE TABLE ${sql.ident("app", "Users")} (a int DEFAULT ${sql.literal(-1)}) ${sql.raw("WITH (fillfactor = 70)")}`;
    expect(query).toEqual({
      text: 'CREATE TABLE app."Users" (a int DEFAULT (-1)) WITH (fillfactor = 70)',
      values: [],
    });
  });
  it("joins values and queries", () => {
    const rows = [
      [1, "a"],
      [2, "b"],
    ].map((row) => sql`(${sql.join(row)})`);
    expect(sql`INSERT INTO t VALUES ${sql.join(rows)}`).toEqual({
      text: "INSERT INTO t VALUES ($1, $2), ($3, $4)",
      values: [1, "a", 2, "b"],
    });
    expect(sql.join([sql`a`, sql`b`], " AND ").text).toBe("a AND b");
    expect(sql.join([1, 2], sql` + ${9} + `)).toEqual({ text: "$1 + $2 + $3", values: [1, 9, 2] });
    expect(sql.join([]).text).toBe("");
  });
  it("refuses undefined, functions and symbols", () => {
    expect(() => sql`SELECT ${undefined}`).toThrow(/undefined is no value/);
    expect(() => sql`SELECT ${() => 1}`).toThrow(/function is no value/);
    expect(() => sql.join([Symbol("a")])).toThrow(/symbol is no value/);
  });
  it("refuses a value inside quotes or a comment", () => {
    expect(() => sql`SELECT '${1}'`).toThrow(/value 1 .* inside quotes/);
    expect(() => sql`SELECT ${1}, "a ${2} b"`).toThrow(/value 2 .* inside quotes/);
    expect(() => sql`SELECT 1 -- ${1}`).toThrow(/inside quotes or a comment/);
    expect(() => sql`DO $$ BEGIN ${sql.raw("x")}; END $$`).toThrow(/inside quotes/);
    expect(sql`SELECT 'it''s (', ${1} /* ( */, ${2}`.values).toEqual([1, 2]);
  });
  it("refuses a value glued to a word or a digit, but takes a part so", () => {
    expect(() => sql`SELECT t_${1}`).toThrow(/glued to a word/);
    expect(() => sql`SELECT ${1}5`).toThrow(/glued to a word/);
    expect(sql`SELECT t_${sql.raw("x")}`.text).toBe("SELECT t_x");
    expect(sql`SELECT (${1})::int`.text).toBe("SELECT ($1)::int");
  });
  it("judges the same template anew when a part becomes a value", () => {
    const at = (value: unknown): string => sql`SELECT t_${value}`.text;
    expect(at(sql.raw("x"))).toBe("SELECT t_x");
    expect(() => at(1)).toThrow(/glued/);
  });
  it("refuses an escape that JavaScript cannot read", () => {
    expect(() => sql`SELECT E'\u'`).toThrow(/escape/);
  });
  it("refuses more values than the protocol can count", () => {
    expect(sql.join(Array.from({ length: 65_535 }, () => 1)).values).toHaveLength(65_535);
    expect(() => sql.join(Array.from({ length: 65_536 }, () => 1))).toThrow(/65535 at most/);
  });
});
