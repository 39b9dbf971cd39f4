import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGodwitError, type GodwitError } from "../core/error.ts";
import { checksumOf } from "../sql/checksum.ts";
import { discoverMigrations } from "./discover.ts";
import { headerOf } from "./header.ts";
import { parseMigration, parseMigrations } from "./parse.ts";
import { assertNoProblems } from "./problems.ts";

import { directory, faults, file, parse, sqlOf } from "./testing/one-file.ts";

describe("sections", () => {
  it("takes a file without markers as all up", async () => {
    const text = "CREATE TABLE a (id int);\nCREATE TABLE b (id int)\n";
    const migration = await parse(text);
    expect(sqlOf(migration.up)).toEqual(["CREATE TABLE a (id int)", "CREATE TABLE b (id int)"]);
    expect(migration.up).toMatchObject({ sql: text, transaction: true, checksum: checksumOf(text) });
    expect(migration.down).toBeNull();
    expect(migration).toMatchObject({
      description: "add users",
      requires: null,
      irreversible: null,
      lockTimeoutMs: null,
      statementTimeoutMs: null,
      checksum: checksumOf(text),
    });
  });

  it("cuts at the markers, and counts lines as the file does", async () => {
    const text = "-- about users\n\n-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\n\nDROP TABLE a;\n";
    const migration = await parse(text);
    const down = "-- migrate:down\n\nDROP TABLE a;\n";
    expect(migration.down).toMatchObject({ sql: down, checksum: checksumOf(down) });
    expect(migration.up.sql).toBe("-- about users\n\n-- migrate:up\nCREATE TABLE a ();\n");
    expect(migration.up.statements[0]).toMatchObject({ line: 4, column: 1, ordinal: 1 });
    expect(migration.down!.statements[0]).toMatchObject({ line: 7, column: 1, ordinal: 1 });
  });

  it.each(["\n", "\r\n", "\r"])("reads files with line ends %j", async (end) => {
    const lines = ["-- migrate:up", "SELECT 1;", "-- migrate:down transaction:false", "SELECT 2;"];
    const migration = await parse(lines.join(end));
    expect(sqlOf(migration.up)).toEqual(["SELECT 1"]);
    expect(sqlOf(migration.down)).toEqual(["SELECT 2"]);
    expect(migration.down).toMatchObject({ transaction: false, statements: [{ line: 4, column: 1 }] });
  });

  it("reads a byte order mark and no space after the dashes", async () => {
    const migration = await parse("\u{FEFF}--migrate:up\nSELECT 1;\n--   migrate:down  \nSELECT 2;");
    expect([sqlOf(migration.up), sqlOf(migration.down)]).toEqual([["SELECT 1"], ["SELECT 2"]]);
    expect(migration.up.sql).toBe("--migrate:up\nSELECT 1;\n");
  });

  it("sees no marker inside strings, dollar quotes and block comments", async () => {
    const body =
      "SELECT '\n-- migrate:down\n', $x$\n-- migrate:up\n-- +goose Up\n$x$ /*\n-- migrate:down\n*/;";
    const migration = await parse(`-- migrate:up\n${body}\n-- migrate:down\nSELECT 2;`);
    expect(migration.up.statements).toHaveLength(1);
    expect(sqlOf(migration.down)).toEqual(["SELECT 2"]);
  });

  it("gives each section its own transaction", async () => {
    const migration = await parse(
      "-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down transaction:true\nSELECT 2;",
    );
    expect([migration.up.transaction, migration.down!.transaction]).toEqual([false, true]);
    const off = await parse(
      "-- godwit:transaction off\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;",
    );
    expect([off.up.transaction, off.down!.transaction]).toEqual([false, false]);
  });

  it("takes a down section without statements as no way down", async () => {
    expect((await parse("-- migrate:up\nSELECT 1;\n-- migrate:down\n-- nothing\n")).down).toBeNull();
  });

  it("gives back any statements it is given", async () => {
    const statement = fc.constantFrom(
      "SELECT 1",
      "SELECT ';'",
      "SELECT $$;\n-- migrate:down\n$$",
      'DROP TABLE "a;b"',
      "SELECT /* ; */ 2",
    );
    const statements = fc.array(statement, { minLength: 1, maxLength: 4 });
    const marker = fc.constantFrom("-- migrate:", "--migrate:", "--  migrate:");
    await fc.assert(
      fc.asyncProperty(
        statements,
        statements,
        marker,
        fc.constantFrom("\n", "\r\n"),
        async (up, down, prefix, end) => {
          const text = [
            `${prefix}up`,
            ...up.map((sql) => `${sql};`),
            `${prefix}down`,
            ...down.map((sql) => `${sql};`),
          ].join(end);
          const migration = await parse(text);
          expect(sqlOf(migration.up)).toEqual(up);
          expect(sqlOf(migration.down)).toEqual(down);
          expect(migration.up.sql + migration.down!.sql).toBe(text);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ["-- migrate:dwon", "`-- migrate:dwon` is not a section marker | did you mean `-- migrate:down`?"],
    ["-- migrate: down", "`-- migrate: down` is not a section marker | did you mean `-- migrate:down`?"],
    ["-- Migrate:Down", "`-- Migrate:Down` is not a section marker | did you mean `-- migrate:down`?"],
    ["-- migrate down", "`-- migrate down` is not a section marker | did you mean `-- migrate:down`?"],
    [
      "-- migration:down transaction:false",
      "`-- migration:down transaction:false` is not a section marker | did you mean `-- migrate:down transaction:false`?",
    ],
    [
      "-- migrate:rollback",
      "`-- migrate:rollback` is not a section marker | the markers are `-- migrate:up` and `-- migrate:down`",
    ],
    [
      "-- migrate:down transaction:flase",
      "`transaction:flase` is not an option of a section marker | did you mean `transaction:false`?",
    ],
    [
      "-- migrate:down now",
      "`now` is not an option of a section marker | the only option is `transaction:false`; put remarks on a line of their own",
    ],
    [
      "  -- migrate:down",
      "`-- migrate:down` does not begin its line | put it at the start of a line of its own",
    ],
    [
      "SELECT 2; -- migrate:down",
      "`-- migrate:down` does not begin its line | put it at the start of a line of its own",
    ],
    [
      "-- migrate:up",
      "a second `-- migrate:up`; the first one is in line 1 | a file has one section for each direction: put their SQL together",
    ],
  ])("refuses %j", async (line, problem) => {
    const column = line.indexOf("--") + 1;
    expect(await faults(`-- migrate:up\nSELECT 1;\n${line}\nSELECT 2;`)).toEqual([`3:${column} ${problem}`]);
  });

  it.each([
    "-- migrate old users to the new table",
    "-- migrate: old users first",
    "-- migrated by hand",
    "-- up to here",
  ])("takes %j for what it is, a remark", async (line) => {
    expect(await faults(`-- migrate:up\n${line}\nSELECT 1;`)).toEqual([]);
  });

  it("refuses sections in the wrong order, and down alone", async () => {
    expect(await faults("-- migrate:down\nSELECT 1;\n-- migrate:up\nSELECT 2;")).toEqual([
      "3:1 `-- migrate:up` comes after `-- migrate:down` | put the up section first",
    ]);
    expect(await faults("SELECT 1;\n-- migrate:down\nSELECT 2;")).toEqual([
      "2:1 the file has `-- migrate:down` but no `-- migrate:up` | write `-- migrate:up` above the SQL that migrates",
    ]);
  });

  it("refuses SQL before the first marker", async () => {
    expect(await faults("/* a */ -- b\n SELECT 0;\n-- migrate:up\nSELECT 1;")).toEqual([
      "2:2 SQL stands before `-- migrate:up` and belongs to no section | move it below the marker",
    ]);
  });

  it.each(["", "-- migrate:up\n-- migrate:down\nDROP TABLE a;", "-- only a remark\n", ";;"])(
    "refuses %j, which does nothing",
    async (text) => {
      expect(await faults(text)).toEqual([
        "1:1 there is nothing to do in `up` | write its SQL or delete the file; where it shall do nothing, write `SELECT;`",
      ]);
    },
  );

  it.each(["-- down", "--- DOWN ---", "-- @UNDO", "-- rollback:", "-- ===== Revert ====="])(
    "refuses %j in a file without markers: it would be run by up",
    async (line) => {
      expect(await faults(`CREATE TABLE a ();\n${line}\nDROP TABLE a;`)).toEqual([
        expect.stringContaining("2:1 the file has no section markers, and this line looks like one"),
      ]);
    },
  );
});

describe("kinds and formats", () => {
  it("gives a repeatable no way down and no requirements", async () => {
    const options = { kind: "repeatable" } as const;
    expect((await parse("CREATE OR REPLACE VIEW v AS SELECT 1", options)).down).toBeNull();
    expect(
      await faults("-- godwit:requires a\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;", options),
    ).toEqual([
      expect.stringContaining("1:1 `godwit:requires` has no meaning in a repeatable migration"),
      expect.stringContaining("4:1 a repeatable migration has no down section"),
    ]);
  });

  it("reads a folder's two files, each with its own places", async () => {
    const write = (name: string, text: string): void => {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    };
    write("m/a/up.sql", "-- godwit:requires x\nSELECT 1;\n");
    write("m/a/down.sql", "-- godwit:transaction off\nSELECT 2;\n");
    const [found] = discoverMigrations({ stream: "app", directory: join(directory, "m") });
    const migration = await parseMigration(found!);
    expect(migration.checksum).toBe(found!.checksum);
    expect(migration.requires).toHaveLength(1);
    expect([migration.up.transaction, migration.down!.transaction]).toEqual([true, false]);
    expect([sqlOf(migration.up), sqlOf(migration.down)]).toEqual([["SELECT 1"], ["SELECT 2"]]);

    write("m/a/up.sql", "-- migrate:up\nSELECT 1;\n");
    write("m/a/down.sql", "\n-- godwit:requires x\nSELEC 2;\n");
    const { problems } = await parseMigrations([found!]);
    expect(
      problems.map(
        ({ message, location }) => `${location!.file.slice(directory.length)}:${location!.line} ${message}`,
      ),
    ).toEqual([
      "/m/a/up.sql:1 up.sql of a folder has no section markers: the file is the section",
      "/m/a/down.sql:2 `godwit:requires` speaks of the migration and belongs into up.sql",
      expect.stringMatching(/^\/m\/a\/down\.sql:3 .*SELEC/),
    ]);
  });
});

describe("what cannot be run", () => {
  it("tells the place and an excerpt of faults in the SQL of both sections", async () => {
    const { problems } = await parseMigrations([
      file("-- migrate:up\nCREATE TABLE a (id int;\n-- migrate:down\n  DROP TABEL a;\n"),
    ]);
    expect(problems.map(({ location }) => [location!.line, location!.column])).toEqual([
      [2, 23],
      [4, 8],
    ]);
    expect(problems[1]!.location!.excerpt).toContain("DROP TABEL a;");
  });

  it("refuses a DO that commits inside a transaction, with the remedy of its section", async () => {
    const block = "DO $$ BEGIN COMMIT; END $$;";
    expect(await faults(`-- migrate:up\n${block}\n-- migrate:down\n${block}`)).toEqual([
      expect.stringContaining(
        "2:1 this DO commits or rolls back, which it cannot inside the transaction of its file | write `-- godwit:transaction off`",
      ),
      expect.stringContaining("| write `-- migrate:down transaction:false`"),
    ]);
    expect(await faults(`-- godwit:transaction off\n${block}`)).toEqual([]);
  });

  it("tells where bytes are not UTF-8, and where there is a NUL", async () => {
    expect(await faults(Buffer.from("-- caf\u{E9}\nSELECT '\u{E9}", "latin1"))).toEqual([
      "1:7 the file is not valid UTF-8 | save it as UTF-8",
    ]);
    expect(await faults("SELECT 1;\nSELECT '\0'")).toEqual([expect.stringMatching(/^2:9 .*NUL/)]);
  });

  it("reports a file that is gone", async () => {
    const gone = file("");
    rmSync(gone.path);
    const { problems } = await parseMigrations([gone]);
    expect(problems[0]).toMatchObject({
      code: "MIGRATION_MALFORMED",
      message: expect.stringContaining("cannot be read"),
    });
  });

  it.each([
    ["goose", "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;"],
    ["sql-migrate", "-- +migrate Up\nSELECT 1;"],
    ["micrate", "-- +micrate Up\nSELECT 1;"],
    ["node-pg-migrate", "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;"],
    ["graphile-migrate", "--! Previous: -\n--! Hash: sha1:0\n\nSELECT 1;"],
    ["Liquibase", "--liquibase formatted sql\n--changeset me:1\nSELECT 1;"],
    ["Liquibase", "-- changeset me:1\nSELECT 1;"],
    ["MyBatis", "-- // comment\nSELECT 1;\n-- //@UNDO\nSELECT 2;"],
    ["MyBatis", "SELECT 1;\n--//@UNDO\nSELECT 2;"],
    ["tern", "SELECT 1;\n---- create above / drop below ----\nSELECT 2;"],
    ["Drizzle", "SELECT 1;\n--> statement-breakpoint\nSELECT 2;"],
    ["Drizzle", "SELECT 1;--> statement-breakpoint\nSELECT 2;"],
    ["Sqitch", "-- Deploy shop:users to pg\nBEGIN;\nCOMMIT;"],
  ])("refuses a file of %s: %j", async (tool, text) => {
    await expect(parse(text)).rejects.toMatchObject({
      code: "MIGRATION_FOREIGN_FORMAT",
      message: `the file is written for ${tool}`,
      hint: expect.stringMatching(/^convert them by hand: (?!.*godwit import)/),
    });
  });

  it("never throws anything but its own errors, whatever the file contains", async () => {
    const rubbish = [
      ..."\n \r \0 ; ' \" \\ ( \u{FEFF} \u{1F600}".split(" "),
      " ",
      ..."$$ /* */ -- E'\\ BEGIN; COMMIT; -- migrate: -- godwit: requires allow transaction off".split(" "),
      "COPY a FROM stdin;\n",
      "-- migrate:down\n",
    ];
    const sound = ["SELECT 1;\n", "-- remark\n", "-- godwit:check it\nSELECT 2;\n", "\n"];
    const pieces = fc.tuple(
      fc.constantFrom("", "-- migrate:up\n", "-- godwit:requires a\n"),
      fc.array(fc.constantFrom(...sound), { minLength: 1, maxLength: 4 }),
      fc.array(fc.oneof(fc.constantFrom(...rubbish), fc.string({ maxLength: 4 })), {
        maxLength: 4,
      }),
    );
    const kinds = fc.constantFrom("versioned", "repeatable");
    await fc.assert(
      fc.asyncProperty(pieces, kinds, async ([start, middle, end], kind) => {
        const written = file([start, ...middle, ...end].join(""), { kind });
        const { migrations, problems } = await parseMigrations([written]);
        expect(migrations).toHaveLength(problems.length === 0 ? 1 : 0);
        expect(
          problems.filter((problem) => !isGodwitError(problem) || problem.location === undefined),
        ).toEqual([]);
        await headerOf(written);
      }),
      { numRuns: 150 },
    );
  });
});

describe("parseMigrations", () => {
  it("tells what is wrong with any file in one go, and keeps the sound ones", async () => {
    const files = ["SELECT 1;", "-- migrate:dwon\nSELECT 1;", "SELEC;", "-- +goose Up\nSELECT 1;"].map(
      (text, index) => {
        const path = join(directory, `${index}.sql`);
        writeFileSync(path, text);
        return { ...file(""), id: String(index), path };
      },
    );
    const { migrations, problems } = await parseMigrations(files);
    expect(migrations.map(({ id }) => id)).toEqual(["0"]);
    const error = thrownBy(problems);
    expect(error).toMatchObject({
      code: "MIGRATION_MALFORMED",
      message: "3 problems in the migration files; nothing was run",
    });
    expect(error.problems.map(({ location }) => location!.file.at(-5))).toEqual(["1", "2", "3"]);
    expect(thrownBy(problems.slice(2)).code).toBe("MIGRATION_FOREIGN_FORMAT");
  });
});

function thrownBy(problems: readonly GodwitError[]): GodwitError {
  try {
    assertNoProblems(problems);
  } catch (error) {
    if (isGodwitError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
