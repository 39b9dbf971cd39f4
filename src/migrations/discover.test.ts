import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isGodwitError, type GodwitError } from "../core/error.ts";
import { interrupted } from "../core/interrupt.ts";
import { checksumOf } from "../sql/checksum.ts";
import { discoverMigrations } from "./discover.ts";
import type { MigrationFile } from "./types.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "godwit-discover-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

function discover(warnings: string[] = []): MigrationFile[] {
  return discoverMigrations({
    stream: "app",
    directory,
    warn: (message) => warnings.push(message.replace(`${directory}/`, "")),
  });
}

function failure(): GodwitError {
  try {
    discover();
  } catch (error) {
    if (isGodwitError(error)) return error;
    throw error;
  }
  throw new Error("nothing was wrong");
}

/** All messages, without the folder. */
function messages(): string[] {
  const error = failure();
  const problems = error.problems.length > 0 ? error.problems : [error];
  return problems.map(
    (problem) =>
      `${problem.code} ${problem.message.replaceAll(`${directory}/`, "").replaceAll(directory, ".")}`,
  );
}

function asFolded(id: string): string {
  return id.normalize("NFC").toLowerCase();
}

describe("discoverMigrations", () => {
  it("finds every form, bytewise by id", () => {
    write({
      "b.sql": "SELECT 1",
      "a.sql": "SELECT 1",
      "a-b.sql": "SELECT 1",
      "C.ts": "export function up() {}",
      "10.mjs": "",
      "9.js": "",
      "views.repeatable.sql": "SELECT 2",
      "f/up.sql": "SELECT 3",
      "f/down.sql": "SELECT 4",
      "g/up.sql": "SELECT 5",
    });
    const found = discover();
    expect(found.map(({ id, kind, format }) => `${id} ${kind} ${format}`)).toEqual([
      "10 versioned code",
      "9 versioned code",
      "C versioned code",
      "a versioned sql",
      "a-b versioned sql",
      "b versioned sql",
      "f versioned folder",
      "g versioned folder",
      "views repeatable sql",
    ]);
    expect(found[3]).toEqual({
      stream: "app",
      id: "a",
      kind: "versioned",
      format: "sql",
      path: join(directory, "a.sql"),
      downPath: null,
      checksum: checksumOf("SELECT 1"),
    });
    expect(found[6]!.path).toBe(join(directory, "f/up.sql"));
    expect(found[6]!.downPath).toBe(join(directory, "f/down.sql"));
    expect(found[7]!.checksum).toBe(checksumOf("SELECT 5"));
  });

  it("orders any ids as their bytes", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", "Z", "0", "-", "_", ".", "é", "\u{FFFC}", "\u{1F600}"),
      minLength: 1,
      maxLength: 4,
    });
    const names = fc.uniqueArray(
      name.filter((id) => !id.startsWith(".") && !id.endsWith(".")),
      { minLength: 1, maxLength: 8, selector: asFolded },
    );
    fc.assert(
      fc.property(names, (ids) => {
        rmSync(directory, { recursive: true });
        write(Object.fromEntries(ids.map((id) => [`${id}.sql`, ""])));
        const sorted = ids.map((id) => Buffer.from(id)).sort((a, b) => Buffer.compare(a, b));
        expect(discover().map(({ id }) => id)).toEqual(sorted.map(String));
      }),
      { numRuns: 50 },
    );
  });

  it("hashes texts alike with either line end and with a byte order mark", () => {
    write({ "a.sql": "SELECT 1;\nSELECT 2;\n", "b.sql": "\u{FEFF}SELECT 1;\r\nSELECT 2;\r\n" });
    const [a, b] = discover();
    expect(a!.checksum).toBe(b!.checksum);
  });

  it("sees a change in either file of a folder, and text moved between them", () => {
    const checksums = [
      ["x", "y"],
      ["x", "z"],
      ["w", "y"],
      ["xy", ""],
      ["", "xy"],
    ].map(([up, down]) => {
      write({ "f/up.sql": up!, "f/down.sql": down! });
      return discover()[0]!.checksum;
    });
    expect(new Set(checksums).size).toBe(5);
  });

  it("reads files larger than its buffer whole", () => {
    const large = "-- x\n".repeat(100_000);
    write({ "a.sql": large, "b.sql": `${large}y` });
    expect(discover().map(({ checksum }) => checksum)).toEqual([checksumOf(large), checksumOf(`${large}y`)]);
  });

  it("passes over in silence what usually lies beside migrations", () => {
    write({
      "a.sql": "",
      ".gitkeep": "",
      ".#a.sql": "",
      "._a.sql": "",
      "README.md": "",
      README: "",
      "notes.md": "",
      "a.sql~": "",
      ".a.sql.swp": "",
      "a.sql.orig": "",
      "b.d.ts": "",
      "b.test.ts": "",
      "package.json": "{}",
      "lib/money.ts": "",
      "node_modules/x/up.sql": "",
      ".hidden/up.sql": "",
    });
    const warnings: string[] = [];
    expect(discover(warnings).map(({ id }) => id)).toEqual(["a"]);
    expect(warnings).toEqual([]);
  });

  it("warns of what is nothing it knows", () => {
    write({ "a.sql": "", "notes.txt": "", "seed.csv": "", "atlas.sum": "" });
    const warnings: string[] = [];
    discover(warnings);
    expect(warnings).toEqual(
      ["atlas.sum", "notes.txt", "seed.csv"].map((name) => `${name} is not a migration and was passed over`),
    );
  });

  it("refuses what looks like a migration and would not be run, all at once and by name", () => {
    write({
      "a.sql": "",
      "b.SQL": "",
      "c.sql.bak": "",
      "0004_d.txt": "",
      "e.repeatable.ts": "",
      "f.mts": "",
      "up.sql": "",
      "g/down.sql": "",
      "2026/20260101_h.sql": "",
      "i/up.sql": "",
      "i/more.sql": "",
      "20260101_j/README.md": "",
      "k\u{202E}.sql": "",
      "l .sql": "",
      [`${"m".repeat(201)}.sql`]: "",
      "n.sql": Buffer.from([0x53, 0xe9, 0x0a]),
      "o.sql": Buffer.from("\u{FEFF}SELECT 1", "utf16le"),
    });
    expect(messages()).toEqual([
      "MIGRATION_MALFORMED 0004_d.txt looks like a migration but would not be run",
      "MIGRATION_MALFORMED 2026/20260101_h.sql would not be run: folders inside the folder of migrations are not searched",
      "MIGRATION_MALFORMED 20260101_j/ has no up.sql",
      "MIGRATION_MALFORMED b.SQL: the extension of a migration is .sql in lower case",
      "MIGRATION_MALFORMED c.sql.bak looks like a migration but would not be run",
      "MIGRATION_MALFORMED e.repeatable.ts: a repeatable migration must be SQL",
      "MIGRATION_MALFORMED f.mts: a code migration ends in .ts, .js or .mjs",
      "MIGRATION_MALFORMED g/ has no up.sql",
      "MIGRATION_MALFORMED i/more.sql would not be run: only up.sql and down.sql are",
      "MIGRATION_MALFORMED k\\u{202e}.sql: its id contains control or invisible characters",
      "MIGRATION_MALFORMED l .sql: its id begins or ends with white space",
      `MIGRATION_MALFORMED ${"m".repeat(201)}.sql: its id has 201 bytes, more than 200`,
      "MIGRATION_MALFORMED n.sql: is not valid UTF-8",
      "MIGRATION_MALFORMED o.sql: is UTF-16, not UTF-8",
      "MIGRATION_MALFORMED up.sql stands outside a migration's own folder",
    ]);
    expect(failure().message).toBe("15 problems in the migration files; nothing was run");
  });

  it("refuses two files of one id, and ids that only differ in case or composition", () => {
    write({
      "a.sql": "",
      "a.ts": "",
      "b.sql": "",
      "b/up.sql": "",
      "c.sql": "",
      "d.sql": "",
      "d.repeatable.sql": "",
      "C.ts": "",
      "\u{E9}.sql": "",
      "e\u{301}.ts": "",
    });
    const found = messages().map((message) => message.replace("MIGRATION_MALFORMED ", ""));
    expect(found).toHaveLength(5);
    expect(found.filter((message) => message.endsWith("have the same id"))).toHaveLength(3);
    expect(
      found.filter((message) => message.endsWith("have ids that differ only in case, or look the same")),
    ).toHaveLength(2);
  });

  it("follows links to files and folders, and reports one that leads nowhere", () => {
    write({ "real/x": "SELECT 1", "real/f/up.sql": "" });
    const links = join(directory, "links");
    mkdirSync(links);
    symlinkSync(join(directory, "real/x"), join(links, "a.sql"));
    symlinkSync(join(directory, "real/f"), join(links, "f"));
    expect(discoverMigrations({ stream: "app", directory: links }).map(({ id }) => id)).toEqual(["a", "f"]);
    symlinkSync("nowhere", join(links, "b.sql"));
    expect(() => discoverMigrations({ stream: "app", directory: links })).toThrow(
      "b.sql: cannot be read: it is a link to a file that does not exist",
    );
  });

  it("reports a file that cannot be read", () => {
    write({ "b.sql": "" });
    symlinkSync("a.sql", join(directory, "a.sql"));
    expect(messages()).toEqual([
      "MIGRATION_MALFORMED a.sql: cannot be read: it is a link that leads back to itself",
    ]);
  });

  it("says what to do about a folder that is missing, empty or none", () => {
    expect(messages()).toEqual(["MIGRATIONS_NOT_FOUND no migrations in ."]);
    expect(failure().hint).toContain("godwit new <name>");
    write({ "notes.txt": "", "lib/x.ts": "" });
    expect(messages()).toEqual(["MIGRATIONS_NOT_FOUND no migrations in . (1 other file: notes.txt)"]);
    directory = join(directory, "missing");
    expect(messages()).toEqual(["MIGRATIONS_NOT_FOUND the folder of migrations . does not exist"]);
    expect(failure().hint).toContain("godwit init");
    writeFileSync(directory, "");
    expect(messages()).toEqual(["MIGRATIONS_NOT_FOUND . is a file, not a folder of migrations"]);
  });

  it.each<[string, string[]]>([
    ["golang-migrate", ["1_a.up.sql", "1_a.down.sql"]],
    ["postgrator", ["001.do.sql", "001.undo.sql"]],
    ["db-migrate", ["1-a-up.sql", "1-a-down.sql"]],
    ["db-migrate", ["1-a.js", "sqls/1-a-up.sql", "sqls/1-a-down.sql"]],
    ["Flyway", ["V1__a.sql"]],
    ["Flyway", ["V1.2__a.sql", "R__views.sql"]],
    ["Sqitch", ["sqitch.plan", "deploy/a.sql", "revert/a.sql", "verify/a.sql"]],
    ["Prisma", ["migration_lock.toml", "20260101000000_a/migration.sql"]],
    ["Drizzle", ["0000_a.sql", "meta/_journal.json", "meta/0000_snapshot.json"]],
    ["Drizzle", ["20260101000000_a/migration.sql", "20260101000000_a/snapshot.json"]],
    ["Alembic", ["env.py", "script.py.mako", "README", "versions/ae1027a6acf3_a.py"]],
    ["Alembic", ["ae1027a6acf3_a.py"]],
    ["Django", ["__init__.py", "0001_initial.py"]],
    ["Rails", ["20260101000000_create_users.rb"]],
    ["Laravel", ["2026_01_01_000000_create_users.php"]],
    ["Ecto", ["20260101000000_create_users.exs"]],
    ["graphile-migrate", ["current.sql", "committed/000001.sql"]],
    ["Liquibase", ["db.changelog-master.xml"]],
  ])("recognises %s by the names of its files: %j", (tool, names) => {
    write(Object.fromEntries(names.map((name) => [name, ""])));
    const error = failure();
    expect(error.code).toBe("MIGRATION_FOREIGN_FORMAT");
    const found = error.problems.length > 0 ? error.problems : [error];
    expect(found.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`${directory} holds files in the form of ${tool}: `),
    );
    expect(error.hint).toMatch(/^convert them by hand: |same command again/);
  });

  it("takes `tear_down` and the like for migrations of their own", () => {
    write({ "1_tear_down.sql": "", "2_slow-down.sql": "" });
    expect(discover()).toHaveLength(2);
  });

  it("stops when it is interrupted", () => {
    write({ "a.sql": "" });
    const signal = AbortSignal.abort(interrupted("SIGINT"));
    expect(() => discoverMigrations({ stream: "app", directory, signal })).toThrow(
      expect.objectContaining({ code: "INTERRUPTED" }),
    );
  });
});
