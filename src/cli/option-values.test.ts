import { describe, expect, it } from "vitest";
import { isGodwitError } from "../core/error.ts";
import {
  collect,
  duration,
  migrationId,
  nonEmpty,
  oneOf,
  wholeNumber,
  withoutUndefined,
} from "./option-values.ts";

/** The error that reading a value throws. */
function refusal(read: () => unknown): { message: string; hint: string | undefined } {
  try {
    read();
  } catch (error) {
    if (isGodwitError(error, "USAGE")) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error("it was accepted");
}

describe("values of flags", () => {
  it("reads durations, and asks for the unit of a bare number", () => {
    expect(duration("--timeout")("2s")).toBe(2000);
    expect(duration("--timeout")("0")).toBe(0);
    const { message, hint } = refusal(() => duration("--timeout")("30"));
    expect(message).toContain("--timeout");
    expect(hint).toContain("--timeout 30s");
    expect(refusal(() => duration("--lock-wait")("soon")).message).toContain('--lock-wait: "soon"');
  });

  it.each(["0", "-1", "1.5", "x", "", "99999999999999999999", "1e3"])(
    "refuses %j as a number of migrations",
    (value) => {
      expect(refusal(() => wholeNumber("--step", 1)(value)).message).toContain("--step");
    },
  );

  it("reads whole numbers", () => {
    expect(wholeNumber("--step", 1)("12")).toBe(12);
    expect(wholeNumber("--limit", 0)("0")).toBe(0);
  });

  it("names the words to choose from, and the one that was probably meant", () => {
    expect(oneOf("--log", ["text", "json"])("json")).toBe("json");
    const { message, hint } = refusal(() => oneOf("--log", ["text", "json"])("jsno"));
    expect(message).toContain("text, json");
    expect(hint).toContain("`json`");
  });

  it("refuses empty values and collects repeated ones", () => {
    expect(refusal(() => nonEmpty("--stream")(" ")).message).toContain("--stream");
    const read = collect(nonEmpty("--stream"));
    expect(read("b", read("a", undefined))).toEqual(["a", "b"]);
  });

  it.each([
    ["20260101_a", "20260101_a"],
    ["migrations/20260101_a.sql", "20260101_a"],
    ["./x/20260101_a.ts", "20260101_a"],
    ["migrations/sales.repeatable.sql", "sales"],
    ["1.2.3", "1.2.3"],
  ])("takes %s as the id %s", (given, id) => {
    expect(migrationId("--to")(given)).toBe(id);
  });

  it("leaves out what has no value, and nothing else", () => {
    expect(withoutUndefined({ a: undefined, b: 0, c: false, d: "" })).toEqual({ b: 0, c: false, d: "" });
    expect("a" in withoutUndefined({ a: undefined })).toBe(false);
  });
});
