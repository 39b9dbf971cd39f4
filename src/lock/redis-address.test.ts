import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGodwitError } from "../core/error.ts";
import { parseRedisUrl } from "./redis-address.ts";

const network = (host: string, port = 6379, tls = false) => ({ host, port, tls });

describe("parseRedisUrl", () => {
  it.each([
    [
      "redis://cache",
      { socket: network("cache"), username: null, password: null, database: 0, shown: "cache:6379" },
    ],
    [" REDIS://cache/ ", { socket: network("cache"), database: 0 }],
    ["rediss://cache:6380/2", { socket: network("cache", 6380, true), database: 2, shown: "cache:6380" }],
    [
      "redis://:s3cret@10.0.0.1:7000",
      { socket: network("10.0.0.1", 7000), username: null, password: "s3cret" },
    ],
    ["redis://app:p%40ss%2F%3A@h", { username: "app", password: "p@ss/:" }],
    ["redis://app:a,b@h", { password: "a,b", socket: network("h") }],
    ["redis://[::1]:7000", { socket: network("::1", 7000), shown: "[::1]:7000" }],
    [
      "unix:///run/redis.sock",
      { socket: { path: "/run/redis.sock" }, database: 0, shown: "/run/redis.sock" },
    ],
    [
      "unix://app:p%40@/run/r%20d.sock?db=3",
      { socket: { path: "/run/r d.sock" }, password: "p@", database: 3 },
    ],
  ])("reads %s", (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    ["cache:6379", "is not a URL"],
    ["", "is not a URL"],
    ["postgres://h/d", "is not the URL of a Redis"],
    ["redis://", "names no host"],
    ["redis:///3", "names no host"],
    ["redis://h:99999", "is not a URL"],
    ["redis://u:12?hunter2@h", "? is %3F"],
    ["redis://u:12/hunter2@h", "/ is %2F"],
    ["redis://u:12#hunter2@h", "# is %23"],
    ["redis://h#3", "is not a URL"],
    ["redis://h:0", "has a port of 0"],
    ["redis://u:100%@h", "a % that stands for itself"],
    ["redis://h/three", "names a database that is not a number"],
    ["redis://h/1/2", "names a database that is not a number"],
    ["redis://h/-1", "names a database that is not a number"],
    ["redis://h?db=3", 'parameter that is not supported: "db"'],
    ["rediss://h?ssl_cert_reqs=none", 'parameter that is not supported: "ssl_cert_reqs"'],
    ["unix://relative.sock", "is not the path of a Unix socket"],
    ["redis+sentinel://h/mymaster", "begins with redis+sentinel://: Sentinel and Cluster are not supported"],
    ["redis-cluster://h", "Sentinel and Cluster are not supported"],
    ["redis://u:p@a:6379,b:6379", "names several hosts: Sentinel and Cluster are not supported"],
  ])("refuses %s", (url, expected) => {
    expect(toldOf(url)).toContain(expected);
    expect(toldOf(url)).not.toContain("hunter2");
  });

  it("ends every text with an address or an error of ours, which shows no part of a password", () => {
    const password = "hunter2";
    const piece = fc.constantFrom<string>(
      "redis:",
      "rediss:",
      "unix:",
      "//",
      "/",
      "@",
      ":",
      ",",
      "%",
      "?",
      "#",
      "h",
      "[",
      "1",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(8), (pieces, at) => {
        const url = `redis://${pieces.toSpliced(at, 0, `${password}@h`).join("")}`;
        expect(toldOf(url)).not.toContain(password);
      }),
      { numRuns: 5000 },
    );
  });
});

/** What a person is told about a URL: the error, or the address as it is shown. */
function toldOf(url: string): string {
  try {
    const { shown, password } = parseRedisUrl(url);
    return password === null ? "" : shown;
  } catch (error) {
    if (!isGodwitError(error, "CONFIG_INVALID")) throw error;
    return `${error.message} → ${error.hint}`;
  }
}
