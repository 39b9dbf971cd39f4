import { describe, expect, it } from "vitest";
import { statementRanges } from "./statement-ranges.ts";

function cut(text: string): string[] {
  return statementRanges(text).map(({ start, end }) => text.slice(start, end));
}

describe("statementRanges", () => {
  it("cuts at semicolons and leaves comments around out", () => {
    expect(cut("-- a\nselec 1;; /* ; */ selec ';' -- b")).toEqual(["selec 1;", "selec ';'"]);
  });
  it("does not let an open parenthesis swallow what follows", () => {
    expect(cut("insert into t values (1; select 2")).toEqual(["insert into t values (1;", "select 2"]);
  });
  it("keeps the bodies of routines and rules whole", () => {
    const body =
      "create or replace procedure p() begin atomic select case a when 1 then 2 end; selec 1; end;";
    const rule = "create rule r as on insert to t do also (select 1; selec 2);";
    expect(cut(`${body} ${rule} x`)).toEqual([body, rule, "x"]);
  });
  it("knows BEGIN elsewhere", () => {
    expect(cut("begin; create function begin() returns int as 'x'; end")).toEqual([
      "begin;",
      "create function begin() returns int as 'x';",
      "end",
    ]);
  });
});
