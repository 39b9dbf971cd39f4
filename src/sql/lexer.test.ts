import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineComments } from "./lexer.ts";

function texts(sql: string): string[] {
  return lineComments(sql).map(({ text }) => text);
}

describe("lineComments", () => {
  it("finds the same on the short way, which texts without dollars, backslashes and COPY take", () => {
    const pieces = [
      "--",
      "-",
      "'",
      '"',
      "/*",
      "*/",
      "/",
      "*",
      "\n",
      "\r\n",
      " ",
      "a",
      "E'",
      "é",
      ";",
      "--x\n",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
        const text = parts.join("");
        const found = lineComments(text);
        // A parameter behind the text sends it the long way; where a quote or a comment is open it changes nothing.
        const long = lineComments(`${text}\n$1`);
        expect(found).toEqual(long);
      }),
      { numRuns: 3000 },
    );
  });
  it("tells text, place and whether the line is the comment's own", () => {
    const sql = "-- one\n\tselect 1; -- two\r\n  --three";
    expect(lineComments(sql)).toEqual([
      { text: "-- one", line: 1, column: 1, offset: 0, ownLine: true },
      { text: "-- two", line: 2, column: 12, offset: 18, ownLine: false },
      { text: "--three", line: 3, column: 3, offset: 28, ownLine: true },
    ]);
  });
  it.each([
    ["a string", "select '\n-- no\n'; -- yes"],
    ["a string with a doubled quote", "select 'it''s\n-- no\n'; -- yes"],
    ["a string that ends with a backslash", "select 'a\\'; -- yes"],
    ["an escape string", "select E'\\'\n-- no\n'; -- yes"],
    ["a lower-case escape string", "select e'\\\\'; -- yes"],
    ["an escape string that goes on in the next line", "select E'a'\n  'b\\'\n-- no\n'; -- yes"],
    ["a word that ends with e before a string", "select date'\\'; -- yes"],
    ["a Unicode string", "select U&'\\0061\n-- no\n'; -- yes"],
    ["a quoted name", 'select "a""\n-- no\n"; -- yes'],
    ["a dollar quote", "select $$\n-- no\n$$; -- yes"],
    ["a tagged dollar quote", "select $é1$ $$ ' \n-- no\n$é1$; -- yes"],
    ["a word with dollars", "select a$b$, c$b$ -- yes"],
    ["parameters", "select $1, $2 -- yes"],
    ["a block comment", "/* ' \n-- no\n*/ -- yes"],
    ["nested block comments", "/* /* */ \n-- no\n*/ -- yes"],
    ["an operator right before it", "select 1 +-- yes"],
    ["COPY data", "copy t (a) from stdin;\nit's\n-- no\n\\.\n-- yes"],
    [
      "COPY data with options and a comment",
      "COPY t FROM STDIN WITH (FORMAT csv); /* x */\n'\n\\.\r\n-- yes",
    ],
    ["\\copy data", "\\copy t from stdin\n'\n\\.\n-- yes"],
  ])("is not fooled by %s", (_what, sql) => {
    expect(texts(sql)).toEqual(["-- yes"]);
  });
  it("reads on as SQL where COPY data has no end", () => {
    expect(texts("copy t from stdin;\n-- yes")).toEqual(["-- yes"]);
  });
  it.each([
    "select '",
    'select "',
    "select E'\\",
    "select $$",
    "select $a$ $",
    "/* /* */",
    "--",
    "\\",
    "U&",
    "$",
  ])("takes the unfinished %j", (sql) => {
    expect(texts(sql)).toEqual(sql === "--" ? ["--"] : []);
  });
  it("takes any text and finds nothing but what stands there", () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      "$$",
      "$a$",
      "--",
      "/*",
      "*/",
      "\n",
      "\r\n",
      "E'",
      "\\",
      ";",
      "x",
      "é",
      "😀",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const sql = pieces.join("");
        let last = -1;
        for (const { text, offset } of lineComments(sql)) {
          expect(sql.startsWith(text, offset)).toBe(true);
          expect(text).toMatch(/^--[^\n\r]*$/);
          expect(offset).toBeGreaterThan(last);
          last = offset;
        }
      }),
    );
  });
});
