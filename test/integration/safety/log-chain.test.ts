import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { genesis, hashOf, type LogLevel, type StoredEntry } from "../../../src/history/log-chain.ts";
import { HistoryWriter } from "../../../src/history/writer.ts";
import { claim } from "../../../src/lock/row.ts";
import { openSession } from "../../../src/postgres/session.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { createDatabase, type TestDatabase } from "../../support/postgres.ts";
import { failureOf, testProject, type Project } from "../../support/project.ts";

const both = (name: string): string =>
  `-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n`;

/** Ups, downs, failures with words of every kind, steps, repairs and several runs. */
async function mixedHistory(project: Project): Promise<void> {
  const { godwit, write, remove } = project;
  await write({ "1_a.sql": both("a"), "2_b.sql": both("b") });
  await godwit.up({ steps: 1 });
  await godwit.up();
  await godwit.down();
  await godwit.redo();
  await write({ "3_c.sql": 'SELECT \'ünïcödé "quoted" \\ back 🐦\' FROM "no\ttable" -- 1e400\n' });
  await failureOf(godwit.up(), "MIGRATION_FAILED");
  await write({
    "3_c.sql": both("c").replace("int);", "int);\nCREATE INDEX CONCURRENTLY c_id ON c (id);"),
    "view.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1e10 AS n;\n",
  });
  await godwit.up();
  await write({ "1_a.sql": both("a").replace("int", "int /* edited */") });
  await godwit.repair({ action: "accept-checksum", ids: ["1_a"], reason: 'a comment, "quoted" \\ and 🐦' });
  await write({ "4_d.sql": both("d") });
  await godwit.repair({ action: "mark-applied", ids: ["4_d"], reason: "by hand" });
  await remove("4_d.sql");
  await godwit.repair({ action: "forget", reason: "by mistake" });
}

describe("the chain of a mixed history", () => {
  it("is proven, and again after each further run", async () => {
    const project = await testProject({});
    await mixedHistory(project);
    const { godwit, database, write } = project;
    const [first] = (await godwit.verify()).targets;
    expect(first).toMatchObject({ brokenAt: null, reason: null, changed: [], missing: [] });
    const [count] = await database.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM godwit.migration_log",
    );
    expect(first?.entries).toBe(count?.n);
    await write({ "5_e.sql": both("e") });
    await godwit.up();
    expect((await godwit.verify()).targets[0]?.entries).toBeGreaterThan(count!.n);
  });

  it("is proven while a run makes it longer", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 80 }, (_, n) => [
        `${100 + n}_t.sql`,
        `CREATE TABLE t${n} (id int);\nSELECT pg_sleep(0.01);\n`,
      ]),
    );
    const { godwit, open } = await testProject(files);
    await godwit.up({ steps: 1 });
    const other = await open();
    let running = true;
    const run = godwit.up().then(() => (running = false));
    let proofs = 0;
    for (; running; proofs++) await other.verify();
    await run;
    expect(proofs).toBeGreaterThan(5);
    await other.verify();
  });

  it("is read page by page however long it is", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": both("a") });
    await godwit.up();
    const [lock] = await database.query<{ token: string; owner: string; log_seq: string }>(
      "SELECT token, owner, log_seq FROM godwit.migration_locks",
    );
    const append = `SELECT count(*) FROM generate_series(1, $1::int) n,
      LATERAL godwit.record_change(jsonb_populate_record(NULL::godwit.history_change, jsonb_build_object(
        'lock_key', 'default', 'token', ${lock?.token}, 'run_id', '${lock?.owner}', 'stream', 'default', 'target_schema', '',
        'level', 'info', 'event', 'filler', 'message', 'n ' || n, 'details', '{}'::jsonb, 'timed', false)))`;
    for (const wanted of [2000, 4000, 4001]) {
      const [{ n } = { n: 0 }] = await database.query<{ n: number }>(
        "SELECT log_seq::int AS n FROM godwit.migration_locks",
      );
      await database.query(append, [wanted - n]);
      expect((await godwit.verify()).targets[0]).toMatchObject({ entries: wanted, brokenAt: null });
    }
    await database.query("DELETE FROM godwit.migration_log WHERE seq = 2000");
    const error = await failureOf(godwit.verify(), "LOG_CHAIN_BROKEN");
    expect(error.result).toMatchObject({ targets: [{ brokenAt: 2000, entries: 1999 }] });
  });
});

/** What somebody with full rights could do to the log; `$` stands for the number of an entry in the middle. */
const TAMPERINGS: readonly (readonly [string, string, at?: "$" | "any"])[] = [
  ["run_id", "UPDATE godwit.migration_log SET run_id = gen_random_uuid() WHERE seq = $"],
  ["run_id taken away", "UPDATE godwit.migration_log SET run_id = NULL WHERE seq = $"],
  ["migration_id", "UPDATE godwit.migration_log SET migration_id = '9_x' WHERE seq = $"],
  ["level", "UPDATE godwit.migration_log SET level = 'critical' WHERE seq = $"],
  ["event", "UPDATE godwit.migration_log SET event = event || 'x' WHERE seq = $"],
  ["message by one blank", "UPDATE godwit.migration_log SET message = message || ' ' WHERE seq = $"],
  ["details added to", `UPDATE godwit.migration_log SET details = details || '{"x": 1}' WHERE seq = $`],
  ["details replaced", "UPDATE godwit.migration_log SET details = '{}' WHERE seq = $"],
  [
    "time by a microsecond",
    "UPDATE godwit.migration_log SET at = at + interval '1 microsecond' WHERE seq = $",
  ],
  ["prev_hash", "UPDATE godwit.migration_log SET prev_hash = reverse(prev_hash) WHERE seq = $"],
  ["hash", "UPDATE godwit.migration_log SET hash = reverse(hash) WHERE seq = $"],
  ["stream", "UPDATE godwit.migration_log SET stream = 'other' WHERE seq = $"],
  ["target_schema", "UPDATE godwit.migration_log SET target_schema = 'other' WHERE seq = $"],
  ["number", "UPDATE godwit.migration_log SET seq = seq + 1000 WHERE seq = $"],
  ["the first entry gone", "DELETE FROM godwit.migration_log WHERE seq = 1", "any"],
  ["an entry in the middle gone", "DELETE FROM godwit.migration_log WHERE seq = $"],
  [
    "an entry in the middle gone and the rest renumbered",
    `DELETE FROM godwit.migration_log WHERE seq = $;
     UPDATE godwit.migration_log SET seq = -seq WHERE seq > $; UPDATE godwit.migration_log SET seq = -seq - 1 WHERE seq < 0`,
  ],
  [
    "the last entry gone",
    "DELETE FROM godwit.migration_log WHERE seq = (SELECT max(seq) FROM godwit.migration_log)",
    "any",
  ],
  [
    "the last three gone",
    "DELETE FROM godwit.migration_log WHERE seq > (SELECT max(seq) - 3 FROM godwit.migration_log)",
    "any",
  ],
  ["all gone", "DELETE FROM godwit.migration_log", "any"],
  [
    "all gone with the lock's row",
    "DELETE FROM godwit.migration_log; DELETE FROM godwit.migration_locks",
    "any",
  ],
  [
    "two neighbours swapped",
    `UPDATE godwit.migration_log SET seq = -1 WHERE seq = $; UPDATE godwit.migration_log SET seq = $ WHERE seq = $ + 1;
     UPDATE godwit.migration_log SET seq = $ + 1 WHERE seq = -1`,
  ],
  [
    "the words of two neighbours swapped",
    `UPDATE godwit.migration_log a SET message = b.message, event = b.event FROM godwit.migration_log b
     WHERE a.seq IN ($, $ + 1) AND b.seq = 2 * $ + 1 - a.seq`,
  ],
  [
    "a copy of the last entry put behind it",
    `INSERT INTO godwit.migration_log SELECT stream, target_schema, seq + 1, run_id, migration_id, level, event, message, details, at, prev_hash, hash
     FROM godwit.migration_log ORDER BY seq DESC LIMIT 1`,
    "any",
  ],
  [
    "an entry before the first",
    `INSERT INTO godwit.migration_log SELECT stream, target_schema, 0, run_id, migration_id, level, event, message, details, at, prev_hash, hash
     FROM godwit.migration_log WHERE seq = 1`,
    "any",
  ],
  ["the lock's row gone", "DELETE FROM godwit.migration_locks", "any"],
  ["the lock's key", "UPDATE godwit.migration_locks SET key = 'other'", "any"],
  ["the lock's log_seq raised", "UPDATE godwit.migration_locks SET log_seq = log_seq + 1", "any"],
  ["the lock's log_seq lowered", "UPDATE godwit.migration_locks SET log_seq = log_seq - 1", "any"],
  ["the lock's log_hash", "UPDATE godwit.migration_locks SET log_hash = reverse(log_hash)", "any"],
];

/** Statements that forge an entry as good as the log's own function would make it. */
const rehashed = (seq: string, set: string): string => `
  UPDATE godwit.migration_log SET ${set} WHERE seq = ${seq};
  UPDATE godwit.migration_log SET hash = encode(sha256(convert_to(jsonb_build_array(prev_hash, seq, run_id, migration_id, level, event, message, details,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'UTF8')), 'hex') WHERE seq = ${seq};`;

const LAST = "(SELECT max(seq) FROM godwit.migration_log)";

const FORGERIES: readonly (readonly [string, string])[] = [
  ["the last entry, hashed anew", rehashed(LAST, "message = 'nothing happened'")],
  [
    "the last entry, hashed anew, with the lock's number lowered so that it seems to be newer",
    `${rehashed(LAST, "message = 'nothing happened'")} UPDATE godwit.migration_locks SET log_seq = log_seq - 1`,
  ],
  [
    "an entry behind the last, hashed right",
    `INSERT INTO godwit.migration_log SELECT stream, target_schema, seq + 1, run_id, migration_id, level, event, message, details, at, hash, ''
       FROM godwit.migration_log ORDER BY seq DESC LIMIT 1; ${rehashed(LAST, "event = 'forged'")}`,
  ],
  [
    "every entry from one in the middle on, hashed anew",
    `DO $$ DECLARE entry record; previous text; BEGIN
       ${rehashed("3", "message = 'nothing happened'")}
       FOR entry IN SELECT seq FROM godwit.migration_log WHERE seq > 3 ORDER BY seq LOOP
         SELECT hash INTO previous FROM godwit.migration_log WHERE seq = entry.seq - 1;
         ${rehashed("entry.seq", "prev_hash = previous")}
       END LOOP; END $$`,
  ],
];

describe("tampering with the log", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    return () => database.drop();
  });

  /** The same history for each test, tampered with. */
  async function tamperedWith(sql: string): Promise<Project> {
    const files = { "1_a.sql": both("a").replace("int", "int /* edited */"), "2_b.sql": both("b") };
    const project = await testProject(files, { database });
    await database.query(
      `TRUNCATE godwit.migration_log, godwit.migration_locks;
       INSERT INTO godwit.migration_log SELECT * FROM kept.log; INSERT INTO godwit.migration_locks SELECT * FROM kept.locks;
       ${sql}`,
    );
    return project;
  }

  it("is not found where there was none", async () => {
    await mixedHistory(await testProject({}, { database }));
    await database.query(
      "CREATE SCHEMA kept; CREATE TABLE kept.log AS TABLE godwit.migration_log; CREATE TABLE kept.locks AS TABLE godwit.migration_locks",
    );
    const { godwit } = await tamperedWith("SELECT");
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });

  it.each(TAMPERINGS)("is found: %s", async (_, sql, at = "$") => {
    const [{ n } = { n: 0 }] = await database.query<{ n: number }>("SELECT count(*)::int AS n FROM kept.log");
    for (const seq of at === "any" ? [1] : [2, Math.floor(n / 2), n - 1]) {
      const { godwit } = await tamperedWith(sql!.replaceAll("$", String(seq)));
      const error = await failureOf(godwit.verify(), "LOG_CHAIN_BROKEN");
      expect(error.hint).toContain("godwit history");
      const [target] = (error.result as Awaited<ReturnType<typeof godwit.verify>>).targets;
      expect(target?.reason).toBeTruthy();
      if (at === "$") expect([seq, seq + 1]).toContain(target?.brokenAt);
    }
  });

  it.each(FORGERIES)("is found though the hashes are right among themselves: %s", async (_, sql) => {
    const { godwit } = await tamperedWith(sql);
    await failureOf(godwit.verify(), "LOG_CHAIN_BROKEN");
  });

  it.each([
    ["the lock's row is gone", "DELETE FROM godwit.migration_locks"],
    ["the log is longer than its known end", "UPDATE godwit.migration_locks SET log_seq = log_seq - 1"],
  ])("is no crash for the next run where %s", async (_, sql) => {
    const { godwit } = await tamperedWith(sql);
    const before = await database.query("SELECT * FROM godwit.migrations ORDER BY id");
    await failureOf(godwit.down(), "LOG_CHAIN_BROKEN");
    expect(await database.query("SELECT * FROM godwit.migrations ORDER BY id")).toEqual(before);
  });
});

/** Texts with everything that JSON and PostgreSQL escape differently, or might. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.string({
    unit: fc.constantFrom(
      "'",
      '"',
      "\\",
      "\u0000",
      "\b",
      "\f",
      "\n",
      "\r",
      "\t",
      "\u001f",
      "\u007f",
      "\u0080",
      "\u2028",
      "\ufeff",
      "\ufffe",
      "🐦",
      "\ud800",
      "\udc00",
      "é",
      "$$",
      "/*",
      "--",
      "E'",
      "\\u0041",
    ),
  }),
);
const details = fc.dictionary(
  text,
  fc.oneof(
    fc.jsonValue(),
    fc.double(),
    fc.constantFrom<unknown>(1e21, 1e-7, 1.5e300, -0, 5e-324, Number.MAX_SAFE_INTEGER + 2, null, {
      "": [[], {}, [null]],
    }),
    text,
  ),
  { maxKeys: 5 },
);
const levels: readonly LogLevel[] = ["debug", "info", "warning", "error", "critical"];

describe("the hash", () => {
  it("is the same in SQL and in JavaScript, whatever an entry says", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": both("a") });
    await godwit.up();
    const scope = { schema: "godwit", stream: "str'eam \"\\ 🐦", targetSchema: "sché'ma\n" };
    const session = await openSession(await resolveConnection({ conninfo: database.url }, {}), {
      applicationName: "chain",
    });
    const owner = "0197f000-0000-7000-8000-000000000000";
    const claimed = await claim(session, scope, null, {
      runId: owner,
      host: null,
      provider: "advisory",
      leaseMs: null,
      backend: { pid: 1, start: null },
      genesis: genesis(scope.stream, scope.targetSchema).hash,
    });
    const { token, logSeq } = claimed!;
    const key = `${scope.stream}/${scope.targetSchema}`;
    const writer = new HistoryWriter({
      session,
      scope,
      fence: { key, token, owner },
      backend: { pid: 1, start: null },
      toolVersion: "0",
      logSeq,
      lastAppliedSeq: 0,
    });
    let seq = logSeq;
    let previous = genesis(scope.stream, scope.targetSchema).hash;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...levels),
        text,
        fc.option(text, { nil: null }),
        text,
        details,
        async (level, event, id, message, more) => {
          const clean = (value: string): string => value.replaceAll("\0", "").toWellFormed();
          const entry = {
            level,
            event: clean(event),
            migrationId: id === null ? null : clean(id),
            message,
            details: more,
          };
          await writer.write({ log: [entry] });
          const [row] = await session.rows(
            `SELECT *, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS iso FROM godwit.migration_log
             WHERE stream = $1 ORDER BY seq DESC LIMIT 1`,
            [scope.stream],
          );
          const stored: StoredEntry = {
            seq: Number(row?.seq),
            runId: row?.run_id ?? null,
            migrationId: row?.migration_id ?? null,
            level,
            event: row?.event ?? "",
            message: row?.message ?? "",
            detailsText: row?.details ?? "",
            at: row?.iso ?? "",
            prevHash: row?.prev_hash ?? "",
            hash: row?.hash ?? "",
          };
          seq += 1;
          expect(stored).toMatchObject({
            seq,
            prevHash: previous,
            event: entry.event,
            migrationId: entry.migrationId,
          });
          expect(stored.message).toBe(message.replaceAll("\0", "\ufffd").toWellFormed());
          expect(hashOf(stored)).toBe(stored.hash);
          previous = stored.hash;
        },
      ),
      { numRuns: 400 },
    );
    await writer.write({
      log: [
        { level: "info", event: "long", migrationId: null, message: "🐦".repeat(1_000_000), details: {} },
      ],
    });
    session.close();
    const { verifyLog } = await import("../../../src/history/log.ts");
    const reader = await openSession(await resolveConnection({ conninfo: database.url }, {}), {
      applicationName: "chain",
    });
    expect(await verifyLog(reader, scope, key)).toEqual({ entries: seq + 1, brokenAt: null, reason: null });
    reader.close();
  });

  it("does not depend on the settings of who writes or reads", async () => {
    const { godwit, database, open, write } = await testProject({ "1_a.sql": both("a") });
    await database.query(
      `ALTER DATABASE ${database.name} SET timezone = 'Pacific/Chatham'; ALTER DATABASE ${database.name} SET datestyle = 'SQL, DMY';
       ALTER DATABASE ${database.name} SET standard_conforming_strings = off; ALTER DATABASE ${database.name} SET bytea_output = 'escape';
       ALTER DATABASE ${database.name} SET extra_float_digits = 0; ALTER DATABASE ${database.name} SET search_path = ''`,
    );
    await write({ "1_a.sql": both("public.a") });
    await godwit.up();
    await failureOf(
      godwit.repair({ action: "mark-applied", ids: ["1_a"], reason: "\\' \\\\ \\n" }),
      "NEEDS_REPAIR",
    );
    await godwit.repair({ action: "mark-not-applied", ids: ["1_a"], reason: "\\' \\\\ \\n" });
    await (await open()).verify();
    await database.query(`ALTER DATABASE ${database.name} RESET ALL`);
    await (await open()).verify();
  });
});
