import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoverConfigFile, namedConfigFile } from "./discover.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "godwit-discover-")));
  mkdirSync(join(folder, "a/b"), { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("discoverConfigFile", () => {
  it("finds the nearest file upward", () => {
    writeFileSync(join(folder, "godwit.config.yaml"), "");
    expect(discoverConfigFile(join(folder, "a/b"))).toBe(join(folder, "godwit.config.yaml"));
    writeFileSync(join(folder, "a/godwit.config.json"), "{}");
    expect(discoverConfigFile(join(folder, "a/b"))).toBe(join(folder, "a/godwit.config.json"));
  });

  it("is null when no folder has one, and takes no folder for a file", () => {
    mkdirSync(join(folder, "a/godwit.config.ts"));
    expect(discoverConfigFile(join(folder, "a/b"))).toBeNull();
  });

  it("names both when a folder has two", () => {
    writeFileSync(join(folder, "a/godwit.config.yml"), "");
    writeFileSync(join(folder, "a/godwit.config.ts"), "");
    expect(() => discoverConfigFile(join(folder, "a/b"))).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: expect.stringContaining("godwit.config.ts and godwit.config.yml"),
      }),
    );
  });
});

describe("namedConfigFile", () => {
  it("resolves against the working folder", () => {
    writeFileSync(join(folder, "other.yml"), "");
    expect(namedConfigFile("../other.yml", join(folder, "a"))).toBe(join(folder, "other.yml"));
  });

  it("says what is wrong with the name", () => {
    expect(() => namedConfigFile("gone.yaml", folder)).toThrow(
      expect.objectContaining({ code: "CONFIG_NOT_FOUND", message: expect.stringContaining("gone.yaml") }),
    );
    writeFileSync(join(folder, "x.toml"), "");
    expect(() => namedConfigFile("x.toml", folder)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
    expect(() => namedConfigFile("a", folder)).toThrow(expect.objectContaining({ code: "CONFIG_NOT_FOUND" }));
  });
});
