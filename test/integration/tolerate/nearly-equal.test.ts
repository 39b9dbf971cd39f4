import { describe, expect, it } from "vitest";
import { casesHere, expectedOf, outcomeOf, type ToleranceCase } from "./case.ts";

/** What is there differs in something that is easily overlooked, or only seems to. */
const CASES: readonly ToleranceCase[] = [
  {
    name: "a value that is not at the end, before one that the file adds to another type",
    live: "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE face AS ENUM ('sad')",
    file: "ALTER TYPE mood ADD VALUE 'ok'; ALTER TYPE face ADD VALUE 'happy';",
    differs: ["it stands after 'sad' and before 'happy', the file says at the end"],
  },
  {
    name: "a materialized view that was never filled",
    live: "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA",
    file: "CREATE MATERIALIZED VIEW m AS SELECT a FROM t;",
    differs: ["it was never filled, the file fills it: REFRESH MATERIALIZED VIEW"],
  },
  {
    name: "a materialized view that the file does not fill either",
    live: "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA",
    file: "CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA;",
    tolerated: ["materialized view public.m"],
  },
];

describe("what is nearly equal to what a tolerant file makes:", () => {
  it.each(casesHere(CASES))("$name", async (one) => {
    expect(await outcomeOf(one)).toEqual(expectedOf(one));
  });
});
