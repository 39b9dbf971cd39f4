import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dollarQuote, ident, literal, literalOf } from "../../src/sql/quote.ts";
import { createDatabase, query, serverUrl, type TestDatabase, withClient } from "../support/postgres.ts";

const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
/** The texts that a property is checked with, sent to the server in one go. */
const texts = [
  ...fc.sample(text, 300),
  "\\",
  "'",
  "\\'",
  "it's",
  "$$",
  "--",
  "/*",
  "é😀",
  "\n\r\t",
  "\u007f",
];

describe("quoting, against the server", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it("writes names and literals as quote_ident and quote_literal do", async () => {
    const names = ["users", "Users", "a$b", "_1", "1a", 'a"b', ...texts.filter((value) => value !== "")];
    const rows = await database.query<{ name: string; literal: string }>(
      "SELECT quote_ident(t) AS name, quote_literal(t) AS literal FROM unnest($1::text[]) WITH ORDINALITY u(t, n) ORDER BY n",
      [names],
    );
    expect(names.map(ident)).toEqual(rows.map((row) => row.name));
    expect(names.map(literal)).toEqual(rows.map((row) => row.literal));
  });

  it("quotes every keyword that this server quotes", async () => {
    const rows = await query<{ word: string; quoted: string }>(
      serverUrl(),
      "SELECT word, quote_ident(word) AS quoted FROM pg_get_keywords()",
    );
    expect(rows.length).toBeGreaterThan(400);
    // Words that only another version reserves are quoted too.
    for (const { word, quoted } of rows) expect([quoted, `"${word}"`]).toContain(ident(word));
  });

  it.each(["on", "off"])("means the same text with standard_conforming_strings = %s", async (setting) => {
    const rows = await withClient(database.url, async (client) => {
      await client.query("SET escape_string_warning = off");
      await client.query(`SET standard_conforming_strings = ${setting}`);
      const list = texts.map((value) => `(${literal(value)}, ${dollarQuote(value)})`).join(", ");
      const result = await client.query<{ a: string; b: string }>(
        `SELECT a, b FROM (VALUES ${list}) v (a, b)`,
      );
      return result.rows;
    });
    expect(rows.map(({ a }) => a)).toEqual(texts);
    expect(rows.map(({ b }) => b)).toEqual(texts);
  });

  it.each([
    [7, "integer", "7"],
    [-7, "integer", "-7"],
    [-9007199254740993n, "bigint", "-9007199254740993"],
    [1e300, "numeric", null],
    [-0, "double precision", "-0"],
    [Number.NaN, "double precision", "NaN"],
    [Number.POSITIVE_INFINITY, "double precision", "Infinity"],
    [true, "boolean", "true"],
    [new Date("2024-02-29T12:34:56.789Z"), "timestamp with time zone", "2024-02-29 12:34:56.789+00"],
    [new Date(Date.UTC(12345, 6, 8)), "timestamp with time zone", "12345-07-08 00:00:00+00"],
    [new Date("-000001-03-01T00:00:00Z"), "timestamp with time zone", "0002-03-01 00:00:00+00 BC"],
    [new Uint8Array([0, 39, 92, 255]), "bytea", "\\x00275cff"],
    [[1, null, -2], "integer[]", "{1,NULL,-2}"],
    [[["a'", "b\\"]], "text[]", '{{a\',"b\\\\"}}'],
    [{ a: ['it\'s \\ "x"'], b: null }, "jsonb", null],
    [[{ a: 1 }], "jsonb[]", null],
  ])("gives %s the type %s", async (value, type, shown) => {
    const rows = await withClient(database.url, async (client) => {
      await client.query("SET TimeZone = 'UTC'");
      const sql = literalOf(value);
      return (
        await client.query<{ type: string; shown: string; json: unknown }>(
          `SELECT pg_typeof(v)::text AS type, v::text AS shown, to_jsonb(v) AS json FROM (SELECT ${sql} AS v) s`,
        )
      ).rows;
    });
    expect(rows[0]?.type).toBe(type);
    if (shown !== null) expect(rows[0]?.shown).toBe(shown);
    else expect(rows[0]?.json).toEqual(value);
  });

  it("writes an empty array and a negative number where they are used", async () => {
    const [row] = await database.query(
      `SELECT 5 -${literalOf(-2)} AS difference, cardinality(${literalOf([])}::int[]) AS size`,
    );
    expect(row).toEqual({ difference: 7, size: 0 });
  });
});
