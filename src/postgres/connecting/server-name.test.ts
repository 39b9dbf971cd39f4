import { describe, expect, it } from "vitest";
import { serverNameProblem } from "./server-name.ts";

describe("serverNameProblem", () => {
  it.each([
    ["db.example", "DNS:db.example", null],
    ["DB.Example", "DNS:other, DNS:db.example", null],
    ["db.example", "DNS:*.example", null],
    ["10.0.0.1", "IP Address:10.0.0.1", null],
    ["2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1", null],
    // An address is also looked for among the names, as text (manual 32.19.1).
    ["10.0.0.1", "DNS:10.0.0.1", null],
    ["db.example", "", "db.example"],
    // The common name counts for a host name as long as only addresses are listed.
    ["db.example", "IP Address:10.0.0.1", "db.example"],
    ["10.0.0.1", "DNS:other", "10.0.0.1"],
  ])("%s is named by %s and the common name %s", (host, alternativeNames, commonName) => {
    expect(serverNameProblem(host, { alternativeNames, commonName })).toBeNull();
  });

  it.each([
    ["db.example", "DNS:other", null],
    ["db.example", "DNS:other", "db.example"],
    ["a.db.example", "DNS:*.example", null],
    ["example", "DNS:*.example", null],
    [".example", "DNS:*.example", null],
    ["db.example", "DNS:d*.example", null],
    ["db.example", "DNS:*", null],
    ["db.example", "DNS:*.", null],
    ["10.0.0.1", "IP Address:10.0.0.2", "10.0.0.1"],
    ["10.0.0.1", "IP Address:0:0:0:0:0:ffff:a00:1", null],
    ["db.example", 'DNS:"db.example\\u0000.evil"', null],
    ["db.example", 'DNS:"x, DNS:db.example"', null],
    ["db.example", "URI:db.example", null],
    ["db.example", "", null],
  ])("%s is not named by %s and the common name %s", (host, alternativeNames, commonName) => {
    expect(serverNameProblem(host, { alternativeNames, commonName })).toMatch(/certificate/);
  });
});
