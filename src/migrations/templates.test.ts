import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoverMigrations } from "./discover.ts";
import { parseMigrations } from "./parse.ts";
import { newMigration, type NewMigrationOptions } from "./templates.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "godwit-templates-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const NOW = new Date("2026-03-04T05:06:07.890Z");

function create(options: Partial<NewMigrationOptions> = {}): ReturnType<typeof newMigration> {
  return newMigration({ directory, name: "add users", format: "sql", now: NOW, ...options });
}

describe("newMigration", () => {
  it("names the file by the time in UTC and the slug", () => {
    expect(create()).toEqual({
      id: "20260304050607_add_users",
      path: join(directory, "20260304050607_add_users.sql"),
      sortsBefore: null,
    });
  });

  it("makes the folder when it is missing", () => {
    const path = create({ directory: join(directory, "db/migrations") }).path;
    expect(readFileSync(path, "utf8")).toContain("-- migrate:up");
  });

  it("comes after every timestamp there is, also one of the future", () => {
    writeFileSync(join(directory, "20260304050607_first.sql"), "");
    expect(create().id).toBe("20260304050608_add_users");
    expect(create().id).toBe("20260304050609_add_users");
    mkdirSync(join(directory, "20261231235959_later"));
    expect(create().id).toBe("20270101000000_add_users");
  });

  it("is not led astray by numbers that are no dates", () => {
    for (const name of [
      "20261301000000_a.sql",
      "99999999999999_b.sql",
      "202603040506071_c.sql",
      "0001_d.sql",
    ]) {
      writeFileSync(join(directory, name), "");
    }
    const { id, sortsBefore } = create();
    expect(id).toBe("20260304050607_add_users");
    expect(sortsBefore).toBe("99999999999999_b");
  });

  it("gives two that start at the same moment two files", () => {
    const ids = Array.from({ length: 5 }, () => create().id);
    expect(new Set(ids).size).toBe(5);
    expect(ids.toSorted()).toEqual(ids);
  });

  it("writes what SQL needs: description, requirements, markers and how to go back", () => {
    const text = readFileSync(create({ requires: ["20260101000000_a", "shared/b"] }).path, "utf8");
    expect(text.split("\n").slice(0, 4)).toEqual([
      "-- godwit:description add users",
      "-- godwit:requires 20260101000000_a shared/b",
      "-- migrate:up",
      "",
    ]);
    expect(text).toContain("\n-- migrate:down\n");
  });

  it("writes files that are understood once they are filled in, and refused as long as they are not", async () => {
    const options = [{}, { folder: true }, { repeatable: true }] as const;
    const paths = options.map((option) => create({ ...option, requires: [] }).path);
    const unwritten = await parseMigrations(discoverMigrations({ stream: "app", directory }));
    expect(unwritten.problems.map(({ message }) => message)).toEqual(
      paths.map(() => "there is nothing to do in `up`"),
    );
    for (const path of paths) {
      const text = readFileSync(path, "utf8");
      writeFileSync(
        path,
        text.includes("migrate:up")
          ? text.replace("migrate:up\n", "migrate:up\nSELECT 1;")
          : `${text}SELECT 1;`,
      );
    }
    const { migrations, problems } = await parseMigrations(discoverMigrations({ stream: "app", directory }));
    expect(problems).toEqual([]);
    expect(migrations.map(({ description, down }) => [description, down])).toEqual(
      paths.map(() => ["add users", null]),
    );
  });

  it("writes TypeScript that says so when it is run unwritten", () => {
    const { path } = create({ format: "ts", requires: ["a"], name: 'say "hi"' });
    expect(basename(path)).toBe("20260304050607_say_hi.ts");
    const text = readFileSync(path, "utf8");
    expect(text).toContain('import type { MigrationDb } from "godwit";');
    expect(text).toContain('export const description = "say \\"hi\\"";');
    expect(text).toContain('export const requires = ["a"];');
    expect(text).toContain("throw new Error(`${db.migration.id}: up is not written yet`);");
  });

  it("writes a folder with both files", () => {
    const { path, id } = create({ folder: true });
    expect(path).toBe(join(directory, id, "up.sql"));
    expect(readFileSync(path, "utf8")).not.toContain("migrate:up");
    expect(readFileSync(join(directory, id, "down.sql"), "utf8")).not.toBe("");
    expect(create({ folder: true }).id).not.toBe(id);
  });

  it("names a repeatable by its slug alone, once", () => {
    expect(create({ repeatable: true }).path).toBe(join(directory, "add_users.repeatable.sql"));
    expect(() => create({ repeatable: true })).toThrow(expect.objectContaining({ code: "MIGRATION_EXISTS" }));
  });

  it("takes names in any script, and only those without a letter are refused", () => {
    expect(create({ name: "用户" }).id).toBe("20260304050607_migration");
    expect(create({ name: "add_users.sql" }).id).toBe("20260304050608_add_users");
    for (const name of ["", "  ", "--", "🎉"]) {
      expect(() => create({ name })).toThrow(expect.objectContaining({ code: "USAGE" }));
    }
  });

  it("keeps a name of several lines on the one line of its directive", () => {
    const text = readFileSync(create({ name: "one\n-- migrate:down\nDROP" }).path, "utf8");
    expect(text.split("\n")[0]).toBe("-- godwit:description one -- migrate:down DROP");
  });

  it.each<[string, Partial<NewMigrationOptions>]>([
    ["repeatable code", { repeatable: true, format: "ts" }],
    ["a repeatable folder", { repeatable: true, folder: true }],
    ["a folder of code", { folder: true, format: "ts" }],
    ["a repeatable that requires", { repeatable: true, requires: ["a"] }],
    ["an id with a space", { requires: ["a b"] }],
  ])("refuses %s", (_, options) => {
    expect(() => create(options)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  it("says so when the folder cannot be written", () => {
    writeFileSync(join(directory, "file"), "");
    expect(() => create({ directory: join(directory, "file") })).toThrow(
      expect.objectContaining({ code: "MIGRATIONS_NOT_FOUND" }),
    );
  });
});
