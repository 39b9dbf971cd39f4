import { join } from "node:path";
import { Client, escapeIdentifier, type QueryResultRow } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { query, serverUrl, serverVersion, type TestDatabase, urlOf } from "../../support/postgres.ts";
import { failureOf, hasHistory, idsOf, statesOf, tablesOf, testProject } from "../../support/project.ts";
import { streamProject } from "../../support/streams.ts";

/** A database with this name beside the shared ones; it is gone when the test ends. */
async function databaseNamed(name: string, options = ""): Promise<TestDatabase> {
  const quoted = escapeIdentifier(name);
  await query(serverUrl(), `DROP DATABASE IF EXISTS ${quoted}`);
  await query(serverUrl(), `CREATE DATABASE ${quoted} ${options}`);
  const drop = async (): Promise<void> => {
    await query(serverUrl(), `DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
  };
  onTestFinished(drop);
  return {
    name,
    url: urlOf(serverUrl(), { database: name }),
    // The driver's own reading of URLs does not decode every character of a name.
    query: async <R extends QueryResultRow>(text: string, values: readonly unknown[] = []) => {
      const { hostname: host, port, username: user, password } = new URL(serverUrl());
      const client = new Client({ host, port: Number(port), user, password, database: name });
      await client.connect();
      try {
        return (await client.query<R>(text, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    drop,
  };
}

/** Options of CREATE DATABASE for an encoding that the server's own locale may not go with. */
async function encodedAs(encoding: string): Promise<string> {
  const provider = (await serverVersion()) >= 150_000 ? "LOCALE_PROVIDER libc" : "";
  return `TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' ${provider}`;
}

const both = (name: string): string =>
  `-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n`;

describe("names that need quoting", () => {
  it("of tables and indexes go through every step", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": `-- migrate:up
CREATE SCHEMA "my ""odd"" schema";
CREATE TABLE "my ""odd"" schema"."weird ""name" ("Column 1" int) PARTITION BY RANGE ("Column 1");
CREATE TABLE "Übergröße; DROP" ("ä" int);
CREATE INDEX CONCURRENTLY "idx ""ä""" ON "Übergröße; DROP" ("ä");
-- migrate:down
DROP INDEX CONCURRENTLY "idx ""ä""";
DROP TABLE "Übergröße; DROP";
DROP SCHEMA "my ""odd"" schema" CASCADE;`,
      "2_b.sql": 'REINDEX TABLE "my ""odd"" schema"."weird ""name";\nREINDEX TABLE "Übergröße; DROP";\n',
    });
    await godwit.up({ steps: 1 });
    const [migration] = (await godwit.plan()).plans[0]!.migrations;
    expect(migration?.steps.map(({ kind }) => kind)).toEqual(["standalone", "transaction"]);
    await godwit.up();
    expect(await tablesOf(database)).toEqual(['my "odd" schema.weird "name', "Übergröße; DROP"]);
    await godwit.repair({ action: "mark-not-applied", ids: ["2_b"], reason: "no way down" });
    await godwit.down();
    expect(await tablesOf(database)).toEqual([]);
  });

  it("of an index that was left invalid are dropped by the right name", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        'CREATE SCHEMA "S s";\nCREATE TABLE "S s"."T t" (id int);\nINSERT INTO "S s"."T t" VALUES (1), (1);\n',
      "2_b.sql": 'CREATE UNIQUE INDEX CONCURRENTLY "I ""i" ON "S s"."T t" (id);\n',
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await database.query('DELETE FROM "S s"."T t" WHERE ctid = \'(0,1)\'');
    expect(idsOf(await godwit.up())).toEqual(["2_b"]);
    expect(
      await database.query(
        'SELECT indexrelid::regclass::text AS name, indisvalid FROM pg_index WHERE indrelid = \'"S s"."T t"\'::regclass',
      ),
    ).toEqual([{ name: '"S s"."I ""i"', indisvalid: true }]);
  });

  it.each([
    ["History of Shop"],
    ['my "odd" schema'],
    ["SELECT"],
    ["Ünïcödé 😀"],
    ["it's; --"],
    ["x".repeat(63)],
    ["a.b"],
    ["$1 %s \\"],
  ])("may be that of the history's schema: %s", async (schema) => {
    const { godwit, database, write } = await testProject(
      { "1_a.sql": both("a"), "2_b.sql": "CREATE TABLE b ();\nVACUUM b;\n" },
      { options: { historySchema: schema } },
    );
    expect((await godwit.up()).total).toBe(2);
    expect(await hasHistory(database, schema)).toBe(true);
    expect(await hasHistory(database)).toBe(false);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied"]);
    await write({ "2_b.sql": "-- b\nCREATE TABLE b ();\nVACUUM b;\n" });
    await godwit.repair({ action: "accept-checksum", reason: "comment" });
    await godwit.repair({ action: "mark-not-applied", ids: ["2_b"], reason: "taken back" });
    expect((await godwit.down()).total).toBe(1);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
    expect((await godwit.history()).targets[0]?.entries.length).toBeGreaterThan(4);
  });

  it("are refused where PostgreSQL could not keep them", async () => {
    const { open } = await testProject({ "1_a.sql": both("a") });
    for (const historySchema of ["", "x".repeat(64), "pg_mine", "information_schema", "a\0b"]) {
      const { message } = await failureOf(open({ historySchema }), "USAGE");
      expect(message).toMatch(/schema of the history|--history-schema|historySchema/);
    }
  });

  it("may be that of the database", async () => {
    const name = `shop "of" O'Brien ; -- ${process.pid} ä😀%20&?#`;
    const database = await databaseNamed(name);
    const { godwit } = await testProject(
      { "1_a.sql": both("a"), "2_b.sql": "SELECT pg_sleep(1.3);\nVACUUM a;" },
      { database },
    );
    expect((await godwit.up()).total).toBe(2);
    const { targets } = await godwit.status();
    expect(targets[0]?.database).toContain(name);
    expect(await tablesOf(database)).toEqual(["a"]);
  });
});

describe("ids of migrations", () => {
  it.each([
    ["Größe ändern"],
    ["日本語のマイグレーション"],
    ["😀 and spaces"],
    ['it\'s a "quoted" one'],
    ["semi;colon -- dash $1 %s %% \\ back"],
    ["dots.in.it"],
    ["2026-01-01T00:00:00Z"],
    ["e\u0301 combined"],
    ["x".repeat(190)],
  ])("may be %s", async (id) => {
    const { godwit, remove } = await testProject({
      [`${id}.sql`]: both("a"),
      "zzz.repeatable.sql": "SELECT 1/0;",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await statesOf(godwit))[0]).toBe(`${id}: applied`);
    expect((await godwit.wait({ for: [id], timeoutMs: 0 })).reached).toBe(true);
    expect((await godwit.history({ id })).targets[0]?.entries).toHaveLength(1);
    await remove(`${id}.sql`);
    expect(idsOf(await godwit.down())).toEqual([id]);
    await godwit.repair({ action: "forget", ids: [id], reason: "gone" });
    expect(await statesOf(godwit)).toEqual(["zzz: failed"]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });

  it("may be named in requirements, with their stream", async () => {
    const { godwit } = await streamProject({
      "a-1": { files: { "größe_1.sql": both("a1") } },
      b_2: {
        files: {
          "1_b.sql": both("b1").replace("-- migrate:up", "-- godwit:requires a-1/größe_1\n-- migrate:up"),
        },
      },
    });
    expect((await godwit.up()).total).toBe(2);
    await failureOf(godwit.down({ streams: ["a-1"] }), "GRAPH_UNMET_REQUIREMENT");
  });

  it("with a slash are waited for by stream and id", async () => {
    const { godwit } = await testProject({ "1_a/up.sql": "CREATE TABLE a ();" });
    await godwit.up();
    expect((await godwit.wait({ for: ["default/1_a"], timeoutMs: 0 })).reached).toBe(true);
  });
});

describe("a folder", () => {
  it("may have any name", async () => {
    const { open, root, write } = await testProject({});
    await write({
      "sub folder 'ä' #1 %20?/1_a.sql": "SELECT nothing;",
      "with code 'ä' (1)/1_a.mjs": "export const up = (db) => db.query('SELECT nothing');",
    });
    for (const name of ["sub folder 'ä' #1 %20?", "with code 'ä' (1)"]) {
      const godwit = await open({ migrations: join(root, "migrations", name) });
      const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
      expect(error.location?.file).toContain(join("migrations", name, "1_a."));
    }
  });
});

describe("a database of another encoding", () => {
  it.each(["LATIN1", "SQL_ASCII", "EUC_JP"])("is migrated like any other: %s", async (encoding) => {
    const database = await databaseNamed(
      `enc_${encoding.toLowerCase()}_${process.pid}`,
      await encodedAs(encoding),
    );
    const { godwit } = await testProject(
      {
        "1_a.sql": both("a"),
        "2_b.sql": "CREATE TABLE b ();\nVACUUM b;\nSELECT 1/0;\n",
        "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
      },
      { database },
    );
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: half_applied", "v: pending"]);
    await godwit.repair({ action: "mark-applied", ids: ["2_b"], reason: "good enough" });
    await godwit.up();
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
    expect(await tablesOf(database)).toEqual(["a", "b", "v"]);
  });

  it("that cannot hold a file's characters is not touched, and all such files are told with their places", async () => {
    const database = await databaseNamed(`enc_narrow_${process.pid}`, await encodedAs("LATIN1"));
    const { godwit, write, remove } = await testProject(
      {
        "1_a.sql": "CREATE TABLE a (); -- ä\n",
        "2_b.sql": "-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\nDROP TABLE b; -- 5 €, 日本\n",
        "3_c/up.sql": "CREATE TABLE c ();",
        "3_c/down.sql": "DROP TABLE c; -- 😀",
        "4_日.sql": "SELECT 1;",
      },
      { database },
    );
    for (const verb of [godwit.plan(), godwit.up()]) {
      const error = await failureOf(verb, "MIGRATION_MALFORMED");
      expect(
        error.problems?.map(({ location }) => [location?.file, location?.line, location?.column]),
      ).toEqual([
        [join("migrations", "2_b.sql"), 4, 20],
        [join("migrations", "3_c", "down.sql"), 1, 18],
        [join("migrations", "4_日.sql"), 1, 1],
      ]);
      expect(error.problems?.[0]?.message).toContain('is encoded in LATIN1, which has no "€"');
      expect(await hasHistory(database)).toBe(false);
    }
    await write({ "2_b.sql": "CREATE TABLE b ();", "3_c/down.sql": "DROP TABLE c;" });
    await remove("4_日.sql");
    expect((await godwit.up()).total).toBe(3);
    expect(await tablesOf(database)).toEqual(["a", "b", "c"]);
  });

  it("that cannot hold what a statement makes of it says so, and records the failure", async () => {
    const database = await databaseNamed(`enc_made_${process.pid}`, await encodedAs("LATIN1"));
    const { godwit } = await testProject({ "1_a.sql": String.raw`SELECT U&'\65E5';` }, { database });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({ location: { line: 1 } });
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it("keeps what is said in words without the characters that it cannot hold", async () => {
    const database = await databaseNamed(`enc_words_${process.pid}`, await encodedAs("LATIN1"));
    const { godwit, write } = await testProject(
      {
        "1_a.mjs":
          "export const up = () => { throw new Error('costs 5 ' + String.fromCodePoint(0x20ac)); };\n",
      },
      { database },
    );
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.message).toContain("costs 5 €");
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
    await write({ "2_b.sql": "SELECT '€';" });
    const act = { action: "mark-applied", reason: "ä is fine, € is not" } as const;
    await failureOf(godwit.repair({ ...act, ids: ["2_b"] }), "MIGRATION_MALFORMED");
    await failureOf(godwit.baseline({ id: "2_b" }), "MIGRATION_MALFORMED");
    await godwit.repair({ ...act, ids: ["1_a"] });
    const { targets } = await godwit.history();
    expect(targets[0]?.entries.map(({ message }) => message)).toEqual(
      expect.arrayContaining([expect.stringContaining("costs 5 U+20AC"), "declared 1_a applied"]),
    );
    expect(
      await database.query(
        "SELECT details->>'reason' AS reason FROM godwit.migration_log WHERE event LIKE 'repair%'",
      ),
    ).toEqual([{ reason: "U+00E4 is fine, U+20AC is not" }]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });
});
