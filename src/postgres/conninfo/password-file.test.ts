import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPassword } from "./password-file.ts";

const query = { hosts: [], user: "u", database: "d", defaultSocket: "/run" };
const server = { host: "h", hostaddr: null, port: 5432 };

const escape = (text: string): string => text.replaceAll(/[\\:]/g, String.raw`\$&`);

describe("findPassword", () => {
  it.each([
    ["h:5432:d:u:p", "p"],
    ["*:*:*:*:p", "p"],
    ["h:5432:d:u:p:rest", "p"],
    [String.raw`h:5432:d:u:a\:b\\c\d`, String.raw`a:b\cd`],
    [String.raw`\h:5432:d:\u:p`, "p"],
    ["h:5432:d:u:", ""],
    ["#h:5432:d:u:p", null],
    [" h:5432:d:u:p", null],
    ["h*:5432:d:u:p", null],
    [String.raw`\*:5432:d:u:p`, null],
    ["h:5432:d:u", null],
    ["h:5433:d:u:p", null],
    ["", null],
  ])("reads %j", (line, password) => {
    expect(findPassword(line, server, query)).toBe(password);
  });

  it("takes the first line that fits", () => {
    expect(findPassword("x:*:*:*:no\r\n*:*:*:u:first\r\n*:*:*:*:second\r\n", server, query)).toBe("first");
  });

  it("reads back anything that is escaped", () => {
    const field = fc.string({ minLength: 1 }).filter((text) => !/[\n\r]/.test(text) && text !== "*");
    fc.assert(
      fc.property(field, field, field, field, (host, database, user, password) => {
        fc.pre(!host.startsWith("#"));
        const line = `${[host, "1", database, user, password].map((text) => escape(text)).join(":")}\n`;
        const wanted = { ...query, database, user, defaultSocket: "" };
        expect(findPassword(line, { host, hostaddr: null, port: 1 }, wanted)).toBe(password);
      }),
    );
  });
});
