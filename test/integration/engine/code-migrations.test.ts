import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  eventsOf,
  failureOf,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";

describe("a code migration", () => {
  it.each([
    ["ts", "export async function up(db: { query(text: string): Promise<unknown> }): Promise<void> {"],
    ["js", "export async function up(db) {"],
    ["mjs", "export const up = async (db) => {"],
  ])("may be .%s, with its history in the same transaction", async (extension, head) => {
    const { godwit, database } = await testProject({
      "package.json": '{ "type": "module" }',
      [`1_a.${extension}`]: `${head}\n  await db.query("CREATE TABLE a (id int)");\n}\nexport async function down(db) { await db.query("DROP TABLE a"); }\n`,
    });
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(["1_a"]);
    expect(await tablesOf(database)).toEqual(["a"]);
    const rows = await database.query(
      "SELECT format, m.xmin = c.xmin AS together FROM godwit.migrations m, pg_class c WHERE c.relname = 'a'",
    );
    expect(rows).toEqual([{ format: "code", together: true }]);
    expect(idsOf(await godwit.down())).toEqual(["1_a"]);
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: pending, rolled_back"]);
  });

  it("may have types of the package", async () => {
    const { godwit, database } = await testProject({
      "1_a.ts":
        'import type { MigrationDb } from "godwit";\n' +
        "export const up = async ({ query }: MigrationDb): Promise<void> => {\n" +
        '  const { rows } = await query<{ one: number }>("SELECT 1 AS one");\n' +
        "  await query(`CREATE TABLE a${rows[0]!.one} ()`);\n};\n",
    });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["a1"]);
  });

  it("is given typed values, and gives them", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs": `
        import assert from "node:assert/strict";
        export async function up(db) {
          const { rows: [row], rowCount } = await db.query(
            "SELECT 1::int AS i, 1.5::float8 AS f, true AS t, NULL::text AS n, '{\\"a\\": [1]}'::jsonb AS j, " +
            "ARRAY[1, 2] AS list, 'x'::text AS s, 9007199254740993::bigint AS big, '2026-01-02T03:04:05Z'::timestamptz AS at, " +
            "'\\\\x00ff'::bytea AS bytes");
          assert.equal(rowCount, 1);
          assert.deepEqual(row, {
            i: 1, f: 1.5, t: true, n: null, j: { a: [1] }, list: [1, 2], s: "x", big: "9007199254740993",
            at: new Date("2026-01-02T03:04:05Z"), bytes: Buffer.from([0, 255]),
          });
          await db.query("CREATE TABLE a (i int, t text, j jsonb, l int[], at timestamptz, b bool)");
          const values = [7, "it's", { deep: ["'"] }, [1, 2], new Date(0), false];
          const inserted = await db.query("INSERT INTO a VALUES ($1, $2, $3, $4, $5, $6)", values);
          assert.equal(inserted.rowCount, 1);
          assert.deepEqual((await db.query("SELECT * FROM a")).rows, [
            { i: 7, t: "it's", j: { deep: ["'"] }, l: [1, 2], at: new Date(0), b: false },
          ]);
        }`,
    });
    await godwit.up();
    expect(await database.query("SELECT i FROM a")).toEqual([{ i: 7 }]);
  });

  it("writes queries safely with db.sql", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs": `
        export async function up({ query, sql }) {
          const name = 'weird "" name; DROP TABLE x --';
          const evil = "'); DROP TABLE x; --";
          await query(sql\`CREATE TABLE \${sql.ident(name)} (v text)\`);
          const condition = sql\`v = \${evil}\`;
          await query(sql\`INSERT INTO \${sql.ident("public", name)} VALUES (\${evil}), (\${null})\`);
          const { rows } = await query(sql\`SELECT count(*)::int AS n FROM \${sql.ident(name)} WHERE \${condition}\`);
          if (rows[0].n !== 1) throw new Error("not found");
        }`,
    });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(['weird "" name; DROP TABLE x --']);
  });

  it("is told what it is, and its words reach the events and the history", async () => {
    const { godwit } = await testProject({
      "1_a.mjs": `
        export const description = "moves the rows";
        export async function up(db) {
          db.log("half of it");
          db.log(JSON.stringify({ ...db.migration, aborted: db.signal.aborted }));
        }`,
    });
    const run = godwit.up();
    const { runId } = await run;
    const notices = await eventsOf(run, "notice");
    expect(notices.map(({ severity }) => severity)).toEqual(["LOG", "LOG"]);
    expect(notices[0]).toMatchObject({
      id: "1_a",
      target: "default",
      direction: "up",
      message: "half of it",
    });
    expect(JSON.parse(notices[1]!.message)).toEqual({
      id: "1_a",
      stream: "default",
      target: "default",
      direction: "up",
      runId,
      aborted: false,
    });
    const { targets } = await godwit.history({ id: "1_a" });
    expect(JSON.stringify(targets[0]?.entries)).toContain("half of it");
    expect((await godwit.status()).targets[0]?.migrations[0]?.description).toBe("moves the rows");
  });

  it("says by its exports what it requires and how long it may take", async () => {
    const { godwit, write, database } = await testProject({
      "1_a.sql": "CREATE TABLE a (n text, s text);",
      "9_z.sql": "SELECT 1;",
    });
    await godwit.up();
    await write({
      "5_e.mjs":
        'export const requires = ["1_a"];\nexport const lockTimeout = "1234ms";\nexport const statementTimeout = "5s";\n' +
        "export const up = async (db) => { await db.query(\"INSERT INTO a SELECT name, setting FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')\"); };\n",
    });
    expect((await godwit.plan()).plans[0]?.migrations).toMatchObject([
      { id: "5_e", reason: "out of order", requires: ["1_a"], lockTimeoutMs: 1234, statementTimeoutMs: 5000 },
    ]);
    await godwit.up();
    expect(await database.query("SELECT * FROM a ORDER BY 1")).toEqual([
      { n: "lock_timeout", s: "1234" },
      { n: "statement_timeout", s: "5000" },
    ]);
  });
});

describe("a code migration that fails", () => {
  it("is rolled back, and shows the place in its file where it threw", async () => {
    const { godwit, database } = await testProject({
      "1_a.ts":
        "type Rows = { rows: unknown[] };\n" +
        "export async function up(db: { query(text: string): Promise<Rows> }): Promise<void> {\n" +
        '  await db.query("CREATE TABLE a (id int)");\n' +
        "  const { rows } = await db.query('SELECT 1');\n" +
        "  if (rows.length > 0) throw new TypeError('the rows are wrong');\n" +
        "}\n",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.message).toContain("the rows are wrong");
    expect(error.location).toMatchObject({ file: join("migrations", "1_a.ts"), line: 5, column: 30 });
    expect(error.location?.excerpt).toContain("throw new TypeError");
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it("shows the query that the server refused, with its place in the text and in the file", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs":
        "export async function up(db) {\n" +
        '  await db.query("CREATE TABLE a (id int)");\n' +
        "  await db.query(\"SELECT 'ä', nothing FROM a\");\n" +
        "}\n",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "42703" });
    expect(error.message).toContain('column "nothing" does not exist');
    expect(error.location).toMatchObject({ file: join("migrations", "1_a.mjs"), line: 3 });
    expect(`${error.detail}`).toContain("SELECT 'ä', nothing FROM a");
    expect(await tablesOf(database)).toEqual([]);
  });

  it.each([
    ["a string", "throw 'words'", "words"],
    ["nothing", "throw undefined", "undefined"],
    ["null", "return Promise.reject(null)", "null"],
    ["an object", "throw { code: 7 }", ""],
    ["text that the history cannot hold", "throw new Error('a\\u0000b \\ud800 c')", "a"],
  ])("may throw %s", async (_, statement, words) => {
    const { godwit } = await testProject({ "1_a.mjs": `export function up() { ${statement}; }\n` });
    const run = godwit.up();
    const error = await failureOf(run, "MIGRATION_FAILED");
    expect(error.message).toContain(words);
    expect(await eventsOf(run, "warning")).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });

  it("fails also where it caught the error of the server and went on", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs":
        'export async function up(db) {\n  await db.query("CREATE TABLE a ()");\n' +
        '  await db.query("SELECT nothing").catch(() => {});\n}\n',
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(`${error.message} ${error.detail} ${error.hint}`).toMatch(/SELECT nothing|caught|"nothing"/);
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it("may catch one that a savepoint contains", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs":
        'export async function up(db) {\n  await db.query("CREATE TABLE a ()");\n  await db.query("SAVEPOINT s");\n' +
        '  await db.query("SELECT nothing").catch(() => db.query("ROLLBACK TO SAVEPOINT s"));\n}\n',
    });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it.each([
    "COMMIT",
    "ROLLBACK",
    "END",
    "ABORT",
    "COMMIT AND CHAIN",
    "ROLLBACK AND CHAIN",
    "COMMIT; BEGIN",
    "SELECT 1; COMMIT",
    "/* x */ commit",
    "ROLLBACK; BEGIN",
  ])("may not end its transaction with %s and be taken for applied", async (command) => {
    const { godwit } = await testProject({
      "1_a.mjs": `export async function up(db) { await db.query("CREATE TABLE a ()"); await db.query("${command}"); }\n`,
      "2_b.sql": "CREATE TABLE b ();",
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.hint).toContain("transaction = false");
    expect(await statesOf(godwit)).toEqual(["1_a: failed", "2_b: pending"]);
  });

  it("does not hang on what it forgot to await", async () => {
    const { godwit } = await testProject({
      "1_a.mjs":
        "export function up(db) { void db.query('SELECT nothing').catch(() => {}); db.query('CREATE TABLE a ()'); }\n",
    });
    await failureOf(godwit.up({ timeoutMs: 20_000 }), "MIGRATION_FAILED");
    expect(await statesOf(godwit)).toEqual(["1_a: failed"]);
  });

  it("leaves its session to nobody: what it sends late is not run", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs":
        "export async function up(db) {\n" +
        "  globalThis.lateQuery = new Promise((done) => setTimeout(done, 50)).then(() => db.query('CREATE TABLE late ()'))\n" +
        "    .then(() => 'ran', () => 'refused');\n}\n",
      "2_b.mjs": "export async function up() { globalThis.lateAnswer = await globalThis.lateQuery; }\n",
    });
    await godwit.up();
    expect((globalThis as unknown as { lateAnswer: string }).lateAnswer).toBe("refused");
    expect(await tablesOf(database)).toEqual([]);
  });
});

describe("a code migration without a transaction", () => {
  const OFF = "export const transaction = false;\n";

  it("commits each statement at once", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs": `${OFF}export async function up(db) {
        await db.query("CREATE TABLE a (id int)");
        await db.query("CREATE INDEX CONCURRENTLY i ON a (id)");
        await db.query("VACUUM a");
      }\nexport async function down(db) { await db.query("DROP INDEX CONCURRENTLY i"); await db.query("DROP TABLE a"); }\n`,
    });
    await godwit.up();
    expect(await tablesOf(database)).toEqual(["a"]);
    await godwit.down();
    expect(await tablesOf(database)).toEqual([]);
  });

  it("keeps what it committed before it failed, and a person says what becomes of it", async () => {
    const { godwit, database, write } = await testProject({
      "1_a.mjs": `${OFF}export async function up(db) {
        await db.query("CREATE TABLE IF NOT EXISTS a (id int)");
        throw new Error("half-way");
      }\n`,
    });
    const run = godwit.up();
    const failed = await failureOf(run, "MIGRATION_FAILED");
    expect(failed.hint).toContain("godwit repair");
    expect(await eventsOf(run, "migration.failed")).toMatchObject([{ rolledBack: false }]);
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statesOf(godwit)).toEqual(["1_a: half_applied"]);
    await write({
      "1_a.mjs": `${OFF}export async function up(db) { await db.query("CREATE TABLE IF NOT EXISTS a (id int)"); }\n`,
    });
    const refused = await failureOf(godwit.up(), "NEEDS_REPAIR");
    expect(refused.hint).toContain("godwit repair mark-not-applied 1_a");
    expect((await godwit.status()).targets[0]?.code).toBe("NEEDS_REPAIR");
    await godwit.repair({ action: "mark-not-applied", ids: ["1_a"], reason: "it can be repeated" });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
    expect(await historyOf(database)).toMatchObject([{ status: "completed" }]);
  });

  it.each([
    ["threw before it sent anything", "throw new Error('too early');"],
    ["had its only query refused", 'await db.query("SELECT 1/0");'],
    [
      "had its only query refused, which would have committed",
      'await db.query("DO $$ BEGIN PERFORM 1/0; COMMIT; END $$");',
    ],
  ])("is simply tried again where it %s", async (_what, body) => {
    const { godwit, write } = await testProject({
      "1_a.mjs": `${OFF}export async function up(db) { ${body} }\n`,
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await godwit.status()).targets[0]?.code).toBe("PENDING");
    await write({ "1_a.mjs": `${OFF}export async function up(db) { await db.query("SELECT 1"); }\n` });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
  });

  it("may open transactions of its own; one left open is kept or lost together with its history", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs": `${OFF}export async function up(db) {
        await db.query("BEGIN"); await db.query("CREATE TABLE a (id int)"); await db.query("COMMIT");
      }\n`,
      "2_b.mjs": `${OFF}export async function up(db) { await db.query("BEGIN"); await db.query("CREATE TABLE b (id int)"); }\n`,
      "3_c.sql": "CREATE TABLE c (id int);",
    });
    await godwit.up().then(undefined, () => undefined);
    const tables = await tablesOf(database);
    const states = await statesOf(godwit);
    expect(tables).toContain("a");
    expect(states[0]).toBe("1_a: applied");
    expect(tables.includes("b")).toBe(states[1] === "2_b: applied");
    expect(tables.includes("c")).toBe(states[2] === "3_c: applied");
  });
});

describe("edits of code", () => {
  it("of an applied one are a mismatch, comments included", async () => {
    const { godwit, write } = await testProject({ "1_a.mjs": "export const up = () => {};\n" });
    await godwit.up();
    await write({ "1_a.mjs": "// a\nexport const up = () => {};\n" });
    const error = await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(error.location?.file).toBe(join("migrations", "1_a.mjs"));
  });

  it("of the way down run, and that is said", async () => {
    const { godwit, write, database } = await testProject({
      "1_a.mjs":
        "export const up = (db) => db.query('CREATE TABLE a ()');\nexport const down = (db) => db.query('SELECT 1/0');\n",
    });
    await godwit.up();
    await failureOf(godwit.down(), "MIGRATION_FAILED");
    await write({
      "1_a.mjs":
        "export const up = (db) => db.query('CREATE TABLE a ()');\nexport const down = (db) => db.query('DROP TABLE a');\n",
    });
    const { targets } = await godwit.down();
    expect(targets[0]?.warnings).toEqual([expect.stringContaining("edited code runs")]);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("of one that failed are seen by the next up of the same process", async () => {
    const { godwit, write } = await testProject({
      "1_a.mjs": "export const up = () => { throw new Error('x'); };\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "1_a.mjs": "export const up = () => {};\n" });
    expect(idsOf(await godwit.up())).toEqual(["1_a"]);
  });

  it("say by their absence that there is no way down", async () => {
    const code = "export const up = () => {};\n";
    const { godwit, write } = await testProject({ "1_a.mjs": code });
    await godwit.up();
    const error = await failureOf(godwit.down(), "IRREVERSIBLE");
    expect(error.message).toContain("1_a has no way down");
    expect(error.hint).toMatch(
      /^export an async function down\(db\) from migrations\/1_a\.mjs .*accept-checksum 1_a/,
    );
    // The hint does as it says.
    await write({ "1_a.mjs": `${code}export const down = async () => {};\n` });
    await godwit.repair({ action: "accept-checksum", ids: ["1_a"], reason: "it has a way down now" });
    expect(idsOf(await godwit.down())).toEqual(["1_a"]);
  });
});

describe("an interruption of code", () => {
  it("reaches its signal and its statement, and nothing of it stays", async () => {
    const { godwit, database } = await testProject({
      "1_a.mjs": `export async function up(db) {
        await db.query("CREATE TABLE a ()");
        db.log("sleeping");
        await db.query("SELECT pg_sleep(60)");
      }\n`,
    });
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    for await (const event of run) if (event.type === "notice") controller.abort();
    await failureOf(run, "INTERRUPTED");
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_a: pending"]);
  });

  it("ends one that waits for something else than the database", async () => {
    const { godwit } = await testProject({
      "1_a.mjs": `export async function up(db) {
        db.log("waiting");
        await new Promise((done, fail) => db.signal.addEventListener("abort", () => fail(new Error("told to stop"))));
      }\n`,
    });
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    for await (const event of run) if (event.type === "notice") controller.abort();
    await failureOf(run, "INTERRUPTED");
    expect(await statesOf(godwit)).toEqual(["1_a: pending"]);
  });
});
