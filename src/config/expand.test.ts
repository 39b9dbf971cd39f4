import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expand } from "./expand.ts";

const env = { HOST: "db.example", EMPTY: "", DOLLAR: "${HOST}", BRACE: "a}b" };

describe("expand", () => {
  it.each([
    ["plain", "plain"],
    ["${HOST}", "db.example"],
    ["postgres://${HOST}:5432/shop", "postgres://db.example:5432/shop"],
    ["${EMPTY}", ""],
    ["${EMPTY:-other}", "other"],
    ["${UNSET:-other}", "other"],
    ["${UNSET:-}", ""],
    ["${HOST:-other}", "db.example"],
    ["${UNSET:-${HOST}}", "db.example"],
    ["${UNSET:-${ALSO:-deep}}!", "deep!"],
    ["${UNSET:-a${HOST}b}c}", "adb.examplebc}"],
    ["${HOST:-${UNSET}}", "db.example"],
    ["${HOST:-$${x}}", "db.example}"],
    ["${UNSET:-$${x}}", "${x}"],
    ["$${HOST}", "${HOST}"],
    ["$$${HOST}", "$${HOST}"],
    ["pa$$word$", "pa$$word$"],
    ["$HOST {HOST}", "$HOST {HOST}"],
    ["${DOLLAR}", "${HOST}"],
    ["${BRACE}", "a}b"],
    ["{tenant}, public", "{tenant}, public"],
    ["", ""],
  ])("%s → %s", (value, expected) => {
    expect(expand(value, env, "key")).toBe(expected);
  });

  it("names the key and the variable that is not set", () => {
    expect(() => expand("${NOPE}", env, "streams.shop.database")).toThrow(
      expect.objectContaining({
        code: "VARIABLE_UNSET",
        message: "streams.shop.database uses ${NOPE}, and NOPE is not set",
        hint: expect.stringContaining("export NOPE="),
      }),
    );
    expect(() => expand("${A:-${B}}", {}, "k")).toThrow(expect.objectContaining({ code: "VARIABLE_UNSET" }));
  });

  it.each([
    "${",
    "${}",
    "${HOST",
    "${HOST-x}",
    "${HOST:?x}",
    "${1A}",
    "${HO ST}",
    "${A:-${B",
    "${A:-x",
    "${HOST:-x",
  ])("refuses %s without showing the text", (value) => {
    const secret = "hunter2";
    expect(() => expand(secret + value, env, "streams.shop.database")).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: expect.not.stringContaining(secret),
        hint: expect.stringContaining("$${"),
      }),
    );
  });

  it("does not take names of Object.prototype for variables", () => {
    expect(() => expand("${constructor}", {}, "k")).toThrow(
      expect.objectContaining({ code: "VARIABLE_UNSET" }),
    );
  });

  it("gives any text back that was escaped", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", ":", "-", "A") }), (text) => {
        expect(
          expand(
            text.replaceAll("${", () => "$${"),
            {},
            "k",
          ),
        ).toBe(text);
      }),
    );
  });

  it("takes a used and an unused default to end at the same place", () => {
    const part = fc.constantFrom("x", "$ ", "${B:-y}", "$${", "{", "${B:-${C:-}}");
    fc.assert(
      fc.property(fc.array(part), fc.string({ unit: fc.constantFrom("z", "}") }), (parts, tail) => {
        const value = `\${A:-${parts.join("")}}|${tail}`;
        expect(expand(value, { A: "set" }, "k")).toBe(`set|${tail}`);
        expect(expand(value, {}, "k").endsWith(`|${tail}`)).toBe(true);
      }),
    );
  });
});
