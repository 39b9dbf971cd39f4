import { describe, expect, it } from "vitest";
import { ago, applicationName, exactTime } from "./words.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

describe("times", () => {
  it.each([
    ["2026-03-01T11:59:55Z", "just now"],
    ["2026-03-01T12:05:00Z", "just now"],
    ["2026-03-01T11:59:15Z", "45 s ago"],
    ["2026-03-01T11:30:00Z", "30 min ago"],
    ["2026-02-28T13:00:00Z", "23 h ago"],
    ["2026-02-27T13:00:00Z", "47 h ago"],
    ["2026-02-20T12:00:00Z", "9 days ago"],
    ["2025-11-01T12:00:00Z", "3 months ago"],
    ["2023-01-01T12:00:00Z", "3 years ago"],
    ["nonsense", ""],
  ])("%s is %j", (iso, shown) => {
    expect(ago(iso, NOW)).toBe(shown);
  });

  it("are exact to the second, in UTC", () => {
    expect(exactTime("2026-03-01T10:00:07.123456Z")).toBe("2026-03-01 10:00:07Z");
  });
});

it("the name of a session of Godwit's tells its run", () => {
  const run = "0197c2f4-1c3e-7d2a-9e3f-25420d980768".replaceAll("-", "");
  expect(applicationName(`godwit/6eac06d1/3/${run}`)).toBe("godwit, run 25420d980768");
  expect(applicationName("godwit watch")).toBe("godwit watch");
  expect(applicationName("a\u001b[31m\nb")).toBe("a b");
});
