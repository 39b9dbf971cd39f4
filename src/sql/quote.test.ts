import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dollarQuote, ident, literal, literalOf, qualified } from "./quote.ts";
import { SqlLexer } from "./tokens.ts";

function kinds(sql: string): string[] {
  const lexer = new SqlLexer(sql);
  const found: string[] = [];
  while (lexer.next()) found.push(lexer.kind);
  return found;
}

const withoutNul = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));

describe("ident", () => {
  it.each([
    ["users", "users"],
    ["_a1", "_a1"],
    ["Users", '"Users"'],
    ["user", '"user"'],
    ["select", '"select"'],
    ["1a", '"1a"'],
    ["a$b", '"a$b"'],
    ['a"; DROP', '"a""; DROP"'],
    ["é", '"é"'],
  ])("writes %s as %s", (name, expected) => {
    expect(ident(name)).toBe(expected);
  });
  it("refuses what can be no name", () => {
    expect(() => ident("")).toThrow(/empty name/);
    expect(() => ident("a\0b")).toThrow(/NUL/);
  });
  it("is one token, whatever the name", () => {
    fc.assert(
      fc.property(
        withoutNul.filter((name) => name !== ""),
        (name) => {
          expect(kinds(ident(name))).toHaveLength(1);
        },
      ),
    );
  });
});

describe("qualified", () => {
  it("leaves out a schema that is null", () => {
    expect(qualified(null, "t")).toBe("t");
    expect(qualified("Tenant 1", "t")).toBe('"Tenant 1".t');
  });
});

describe("literal", () => {
  it.each([
    [null, "NULL"],
    ["", "''"],
    ["it's", "'it''s'"],
    ["a\\b'", "E'a\\\\b'''"],
    ["-- $$ \n", "'-- $$ \n'"],
  ])("writes %j as %s", (value, expected) => {
    expect(literal(value)).toBe(expected);
  });
  it("refuses NUL", () => {
    expect(() => literal("\0")).toThrow(/NUL/);
  });
  it("is one string token, whatever the text", () => {
    fc.assert(
      fc.property(withoutNul, (text) => {
        expect(kinds(literal(text))).toEqual(["string"]);
      }),
    );
  });
});

describe("literalOf", () => {
  it.each([
    ["a'b", "'a''b'"],
    [1, "1"],
    [-1.5, "(-1.5)"],
    [1e21, "1e+21"],
    [-0, "'-0'::float8"],
    [Number.NaN, "'NaN'::float8"],
    [Number.NEGATIVE_INFINITY, "'-Infinity'::float8"],
    [-12345678901234567890n, "(-12345678901234567890)"],
    [true, "TRUE"],
    [null, "NULL"],
    [new Date(0), "'1970-01-01T00:00:00.000Z'::timestamptz"],
    [new Date(Date.UTC(12345, 0, 2)), "'12345-01-02T00:00:00.000Z'::timestamptz"],
    [new Date(-62198755200000), "'0002-01-01T00:00:00.000Z BC'::timestamptz"],
    [new Uint8Array([0, 255]), "E'\\\\x00ff'::bytea"],
    [Buffer.from("'"), "E'\\\\x27'::bytea"],
    [[1, null, -2], "ARRAY[1, NULL, (-2)]"],
    [[["a"], ["b"]], "ARRAY[ARRAY['a'], ARRAY['b']]"],
    [[], "'{}'"],
    [[[], []], "'{}'"],
    [{ a: "it's" }, `'{"a":"it''s"}'::jsonb`],
    [{ a: "\\" }, `E'{"a":"\\\\\\\\"}'::jsonb`],
  ])("writes %s as %s", (value, expected) => {
    expect(literalOf(value)).toBe(expected);
  });
  it.each([
    [undefined, /undefined has no literal/],
    [() => 1, /function has no literal/],
    [Symbol("a"), /symbol has no literal/],
    [new Date(Number.NaN), /invalid Date/],
    [new Map([[1, 2]]), /a Map has no literal/],
    [{ a: 1n }, /cannot be written as JSON/],
    [{ toJSON: () => undefined }, /toJSON gives nothing/],
    [[undefined], /undefined has no literal/],
  ])("refuses %s", (value, message) => {
    expect(() => literalOf(value)).toThrow(message);
  });
});

describe("dollarQuote", () => {
  it("chooses a tag that the text does not have", () => {
    expect(dollarQuote("a")).toBe("$$a$$");
    expect(dollarQuote("a $$ b")).toBe("$godwit$a $$ b$godwit$");
    expect(dollarQuote("$$ $godwit$")).toBe("$godwit2$$$ $godwit$$godwit2$");
    expect(dollarQuote("a$")).toBe("$godwit$a$$godwit$");
  });
  it("is one token, whatever the text", () => {
    const piece = fc.constantFrom("$", "$$", "$godwit$", "$godwit", "a", "'");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(kinds(dollarQuote(pieces.join("")))).toEqual(["dollar-string"]);
      }),
    );
  });
});
