import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checksumOf } from "../sql/checksum.ts";
import { sql } from "../sql/template.ts";
import type { MigrationDb } from "./code-types.ts";
import { loadCodeMigration } from "./code.ts";
import { parseMigration, parseMigrations } from "./parse.ts";
import type { Migration, MigrationFile } from "./types.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "godwit-code-"));
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function file(text: string, name: string): MigrationFile {
  const path = write(name, text);
  return {
    stream: "app",
    id: "1_fill",
    kind: "versioned",
    format: "code",
    path,
    downPath: null,
    checksum: "sha256:old",
  };
}

async function parse(text: string, name = "1_fill.ts"): Promise<Migration> {
  return await parseMigration(file(text, name));
}

async function faults(text: string, name = "1_fill.ts"): Promise<string[]> {
  const { problems } = await parseMigrations([file(text, name)]);
  return problems.map(({ message, hint, location }) => {
    const place = `${location!.file.slice(directory.length + 1)}:${location!.line}:${location!.column}`;
    return `${place} ${message} | ${hint}`;
  });
}

describe("a code migration", () => {
  it("may say outright that it has no way down", async () => {
    expect((await parse("export function up() {}\nexport const down = false;")).down).toBeNull();
  });

  it("says by its exports what the planner needs", async () => {
    const text = [
      'import type { MigrationDb } from "godwit";',
      'export const requires = ["a", "shared/b"];',
      'export const description = "Fill";',
      "export const transaction = false;",
      'export const lockTimeout = "2s";',
      'export const statementTimeout = "1h";',
      "export async function up(db: MigrationDb): Promise<void> { await db.query(db.sql`SELECT 1`); }",
      "export async function down(db: MigrationDb): Promise<void> {}",
    ].join("\n");
    const migration = await parse(text);
    expect(migration).toMatchObject({
      description: "Fill",
      checksum: checksumOf(text),
      lockTimeoutMs: 2000,
      statementTimeoutMs: 3_600_000,
      irreversible: null,
      up: { sql: text, statements: [], transaction: false, checksum: checksumOf(text) },
      down: { sql: text, transaction: false },
    });
    expect(
      migration.requires!.map(({ stream, id, location }) => `${stream}/${id} ${location!.line}`),
    ).toEqual(["app/a 2", "shared/b 2"]);
  });

  it("needs no more than `up`", async () => {
    const migration = await parse("export const up = () => {};", "1_fill.mjs");
    expect(migration).toMatchObject({
      description: "fill",
      requires: null,
      down: null,
      up: { transaction: true },
    });
    expect((await parse('export const irreversible = "gone";\nexport function up() {}')).irreversible).toBe(
      "gone",
    );
  });

  it.each([
    ["export const a = 1;", "1:1 it exports no function `up` | write `export async function up(db) { … }`"],
    ["\nexport function Up() {}", "2:1 it exports no function `up` | did you mean `up` by `Up`?"],
    ["export const up = 'SELECT 1';", "1:1 its export `up` is not a function"],
    ["export function up() {}\nexport const down = 1;", "2:1 its export `down` is not a function"],
    [
      "export function up() {}\nexport const transaction = 'off';",
      "2:1 its export `transaction` is neither true nor false",
    ],
    ["export function up() {}\nexport const requires = [];", "2:1 its export `requires` names nothing"],
    [
      "export function up() {}\nexport const requires = ['a', 1];",
      "2:1 its export `requires` is not a list of ids",
    ],
    ["export function up() {}\nexport const description = 1;", "2:1 its export `description` is not a text"],
    [
      "export function up() {}\nexport const lockTimeout = 2000;",
      "2:1 its export `lockTimeout` is not a duration",
    ],
    ["export function up() {}\nexport const lockTimeout = '2';", '2:1 lockTimeout: "2" is not a duration'],
    [
      "export function up() {}\nexport const lock_timeout = '2s';",
      "2:1 its export `lock_timeout` means nothing | did you mean `lockTimeout`?",
    ],
    [
      "export function up() {}\nexport function donw() {}",
      "2:1 its export `donw` means nothing | did you mean `down`?",
    ],
    [
      "export function up() {}\nexport function down() {}\nexport const irreversible = 'no';",
      "3:1 it is called irreversible but has a way down",
    ],
  ])("is refused for %j", async (text, problem) => {
    expect(await faults(text)).toEqual([expect.stringContaining(`1_fill.ts:${problem}`)]);
  });

  it("reports everything that is wrong with its exports at once", async () => {
    expect(
      await faults("export const down = 1;\nexport const requires = 1;\nexport const description = '';"),
    ).toHaveLength(3);
  });

  it.each([
    ["knex", "exports.up = function (knex) { return knex.schema.createTable('a'); };"],
    ["Sequelize", "module.exports = { up: async (queryInterface, Sequelize) => {} };"],
    ["Sequelize", "export const up = async ({ context: queryInterface }) => {};"],
    [
      "TypeORM",
      "import { MigrationInterface } from 'typeorm';\nexport class A implements MigrationInterface {}",
    ],
    ["Kysely", "import { Kysely } from 'kysely';\nexport async function up(db) {}"],
    ["node-pg-migrate", "export const up = (pgm) => { pgm.createTable('a'); };"],
    ["MikroORM", "import { Migration } from '@mikro-orm/migrations';"],
    ["db-migrate", "exports.up = function(db, callback) {};"],
  ])("of %s is refused without being run", async (tool, text) => {
    const { problems } = await parseMigrations([file(`throw new Error("run");\n${text}`, "1_fill.js")]);
    expect(problems).toEqual([
      expect.objectContaining({
        code: "MIGRATION_FOREIGN_FORMAT",
        message: `the file is written for ${tool}`,
      }),
    ]);
    expect(problems[0]!.location!.line).toBeGreaterThanOrEqual(2);
  });
});

const UNUSED: MigrationDb = {
  query: () => Promise.reject(new Error("no database here")),
  sql,
  migration: { id: "1", stream: "app", target: "app", direction: "up", runId: "r" },
  signal: new AbortController().signal,
  log: () => {},
};

describe("loadCodeMigration", () => {
  it("gives functions that can be called", async () => {
    const path = write("1_a.ts", "export function up(db: { log(text: string): void }) { db.log('up'); }");
    const { up, down, transaction } = await loadCodeMigration(path);
    const said: string[] = [];
    await up({ ...UNUSED, log: (text) => said.push(text) });
    expect({ said, down, transaction }).toEqual({ said: ["up"], down: null, transaction: true });
  });

  it("loads an edited file afresh, but keeps to the text that was planned", async () => {
    const path = write("1_a.mjs", "export function up() {}");
    const planned = checksumOf("export function up() {}");
    expect((await loadCodeMigration(path, planned)).down).toBeNull();
    write("1_a.mjs", "export function up() {}\nexport function down() {}");
    expect((await loadCodeMigration(path, planned)).down).toBeNull();
    expect((await loadCodeMigration(path)).down).not.toBeNull();
  });

  it("says so when there is no function to call", async () => {
    const path = write("1_a.mjs", "export const x = 1;");
    await expect(loadCodeMigration(path)).rejects.toMatchObject({
      code: "MIGRATION_MALFORMED",
      message: "it exports no function `up`",
    });
  });
});
