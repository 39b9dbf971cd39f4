import { describe, expect, it } from "vitest";
import { importsOf } from "./imports.ts";
import { scan } from "./scan.ts";

describe("scan", () => {
  it.each([
    ["a // b\nc", "a     \nc"],
    ["a /* b */ c", "a         c"],
    ['f("a // b")', 'f("      ")'],
    ["f('it\\'s')", "f('     ')"],
    ["`a ${b + `c ${d}`} e` + f", "`  ${b + `  ${d}`}  ` + f"],
    ["`${{ a: 1 }.a}x` + y", "`${{ a: 1 }.a} ` + y"],
    ["x = /[/\"]'/g; y", "x = /     /g; y"],
    ["a / b / c", "a / b / c"],
    ["return /\\/\\//.test(s)", "return /    /.test(s)"],
    ["/** a\n * b */\nc", "     \n       \nc"],
    ["// end", "      "],
    ['"𝛼" + x // y', '"  " + x     '],
  ])("%j → %j", (source, expected) => {
    expect(scan(source).code).toBe(expected);
  });

  it("can leave texts as they are", () => {
    expect(scan('f("a") // b').withoutComments).toBe('f("a")     ');
  });
});

describe("importsOf", () => {
  it("finds every form and its kind", () => {
    const source = `
import a from "./a.ts";
import { type B, type C } from "./b.ts";
import type { D } from "./d.ts";
import {
  type E,
  f,
} from "./f.ts";
import "./g.ts";
export * from "./h.ts";
export type { I } from "./i.ts";
export { j } from "./j.ts";
const k = await import("./k.ts");
const l = await import(/* why */ "./l.ts");
// import m from "./m.ts";
const n = \`
import n from "./n.ts";
\`;
export function from() { return "./o.ts"; }
`;
    expect(importsOf(source).map(({ specifier, kind }) => `${specifier} ${kind}`)).toEqual([
      "./a.ts static",
      "./b.ts type",
      "./d.ts type",
      "./f.ts static",
      "./h.ts static",
      "./i.ts type",
      "./j.ts static",
      "./g.ts static",
      "./k.ts dynamic",
      "./l.ts dynamic",
    ]);
  });
});
