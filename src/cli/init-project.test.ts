import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { initProject } from "./init-project.ts";

const NOW = Date.parse("2026-03-01T12:34:56.789Z");
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-init-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("initProject", () => {
  it("writes a configuration and a first migration", () => {
    const { created, existed } = initProject("shop", folder, NOW);
    expect(created).toEqual([
      join(folder, "shop/godwit.config.yaml"),
      join(folder, "shop/migrations/20260301123456_notes.sql"),
    ]);
    expect(existed).toEqual([]);
    expect(readFileSync(created[1]!, "utf8")).toMatch(
      /-- migrate:up\nCREATE TABLE[^]*-- migrate:down\nDROP TABLE/,
    );
  });

  it("is happy to be called again and changes nothing then", () => {
    initProject(".", folder, NOW);
    const { created, existed } = initProject(".", folder, NOW + 60_000);
    expect(created).toEqual([]);
    expect(existed).toEqual([join(folder, "godwit.config.yaml"), join(folder, "migrations")]);
    expect(readdirSync(join(folder, "migrations"))).toHaveLength(1);
  });

  it("never touches what is there: another configuration, migrations of one's own", () => {
    mkdirSync(join(folder, "migrations"));
    writeFileSync(join(folder, "migrations/1_mine.sql"), "SELECT 1;");
    writeFileSync(join(folder, "godwit.config.ts"), "export default {};");
    expect(initProject(".", folder, NOW).created).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual(["godwit.config.ts", "migrations"]);
    expect(readdirSync(join(folder, "migrations"))).toEqual(["1_mine.sql"]);
  });

  it("says so when the folder is a file", () => {
    writeFileSync(join(folder, "shop"), "");
    expect(() => initProject("shop", folder, NOW)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
