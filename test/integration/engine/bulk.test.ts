import { describe, expect, it } from "vitest";
import { HISTORY_VERSION } from "../../../src/history/versions.ts";
import { testClient } from "../safety/gate.ts";
import {
  eventsOf,
  failureOf,
  hasHistory,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
  type Files,
} from "../../support/project.ts";

/** So many that they are sent as a bulk; each is one message, since it only creates things. */
const COUNT = 24;

const idOf = (number: number): string => `${100 + number}_t`;

function tables(other: Readonly<Record<number, string>> = {}): Files {
  return Object.fromEntries(
    Array.from({ length: COUNT }, (_, number) => [
      `${idOf(number)}.sql`,
      other[number] ?? `CREATE TABLE t${number} (id int);\nCREATE INDEX ON t${number} (id);\n`,
    ]),
  );
}

const ids = Array.from({ length: COUNT }, (_, number) => idOf(number));

describe("many small migrations", () => {
  it("are each told and kept as if they had run one by one", async () => {
    const { godwit, database } = await testProject(tables());
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(ids);
    const finished = await eventsOf(run, "statement.finished");
    expect(finished.map(({ id, ordinal, tag }) => `${id} ${ordinal} ${tag}`)).toEqual(
      ids.flatMap((id) => [`${id} 1 CREATE TABLE`, `${id} 2 CREATE INDEX`]),
    );
    for (const { durationMs } of finished) expect(durationMs).toBeGreaterThan(0);
    expect(await eventsOf(run, "history.upgraded")).toMatchObject([{ from: 0, to: HISTORY_VERSION }]);
    expect((await historyOf(database)).map(({ id, status }) => `${id} ${status}`)).toEqual(
      ids.map((id) => `${id} completed`),
    );
    const [kept] = await database.query<{ texts: number; timed: number; apart: number }>(
      `SELECT (SELECT count(*)::int FROM godwit.migration_files f JOIN godwit.migrations m USING (checksum)
               WHERE f.up_sql LIKE 'CREATE TABLE%') AS texts,
              (SELECT count(*)::int FROM godwit.migration_log WHERE event = 'migration.applied'
               AND (details->>'duration_us')::int > 0) AS timed,
              (SELECT count(DISTINCT applied_at)::int FROM godwit.migrations) AS apart`,
    );
    expect(kept).toEqual({ texts: COUNT, timed: COUNT, apart: COUNT });
    await godwit.verify();
  });

  it("stop at the one that fails, which is told with its place, and go on once it is mended", async () => {
    const { godwit, database, write } = await testProject(
      tables({ 9: "CREATE TABLE t9 (id int);\n\n  CREATE TABLE t1 (id int);\n" }),
    );
    const run = godwit.up();
    const error = await failureOf(run, "MIGRATION_FAILED");
    expect(error).toMatchObject({ sqlstate: "42P07", location: { line: 3, column: 3 } });
    expect(error.message).toContain(idOf(9));
    expect(idsOf(error.result)).toEqual(ids.slice(0, 9));
    expect(await eventsOf(run, "migration.failed")).toHaveLength(1);
    expect((await tablesOf(database)).length).toBe(9);
    expect((await statesOf(godwit)).slice(8, 11)).toEqual([
      `${idOf(8)}: applied`,
      `${idOf(9)}: failed`,
      `${idOf(10)}: pending`,
    ]);
    await write({ [`${idOf(9)}.sql`]: "CREATE TABLE t9 (id int);\n" });
    expect(idsOf(await godwit.up())).toEqual(ids.slice(9));
    const [texts] = await database.query("SELECT count(*)::int AS n FROM godwit.migration_files");
    // The text that failed was kept with its failure.
    expect(texts).toEqual({ n: COUNT + 1 });
    await godwit.verify();
  });

  it("keep no text where the first one fails, and all of them later", async () => {
    const { godwit, database, write } = await testProject(
      tables({ 0: "CREATE TABLE t0 (id int, id int);\n" }),
    );
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    const count = "SELECT count(*)::int AS n FROM godwit.migration_files";
    // The failed one's own is kept with its failure.
    expect(await database.query(count)).toEqual([{ n: 1 }]);
    await write({ [`${idOf(0)}.sql`]: "CREATE TABLE t0 (id int);\n" });
    expect((await godwit.up()).total).toBe(COUNT);
    expect(await database.query(`${count} f JOIN godwit.migrations m USING (checksum)`)).toEqual([
      { n: COUNT },
    ]);
  });

  it("wait for a lock on an object and go on", async () => {
    const { godwit, database } = await testProject(
      tables({ 12: "CREATE TABLE t12 (id int REFERENCES old);\n" }),
      { options: { lockTimeoutMs: 100 } },
    );
    await database.query("CREATE TABLE old (id int PRIMARY KEY)");
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; LOCK TABLE old IN ACCESS EXCLUSIVE MODE");
    const run = godwit.up();
    let retries = 0;
    for await (const event of run) {
      if (event.type === "migration.retrying" && retries++ === 0) await blocker.query("COMMIT");
    }
    expect(retries).toBeGreaterThan(0);
    expect((await run).total).toBe(COUNT);
    await godwit.verify();
  });

  it("bring their own notices", async () => {
    const { godwit } = await testProject(
      tables(
        Object.fromEntries(
          Array.from({ length: COUNT - 1 }, (_, number) => [
            number + 1,
            `CREATE TABLE t${number + 1} (id int);\nCREATE TABLE IF NOT EXISTS t${number} ();\n`,
          ]),
        ),
      ),
    );
    const run = godwit.up();
    await run;
    const notices = await eventsOf(run, "notice");
    expect(notices.map(({ id, message }) => `${id}: ${message}`)).toEqual(
      ids.slice(1).map((id, number) => `${id}: relation "t${number}" already exists, skipping`),
    );
  });

  it("go with others that take longer, stand alone or change the session", async () => {
    const { godwit, database } = await testProject({
      ...tables({
        3: "INSERT INTO t1 SELECT generate_series(1, 100);\nCREATE TABLE t3 ();\n",
        7: "CREATE TABLE t7 ();\nCREATE INDEX CONCURRENTLY i ON t1 (id);\n",
        11: "CREATE SCHEMA other;\nSET search_path = other;\nCREATE TABLE t11 ();\nSET default_transaction_read_only = off;\nSET statement_timeout = '100ms';\n",
        15: "CREATE TEMP TABLE hidden ();\nDECLARE c CURSOR FOR SELECT * FROM hidden;\nCREATE TABLE t15 ();\n",
      }),
      "119_code.mjs": "export const up = (db) => db.query('CREATE TABLE code ()');\n",
    });
    const run = godwit.up();
    expect((await run).total).toBe(COUNT + 1);
    const rows = (await eventsOf(run, "statement.finished")).find(({ tag }) => tag === "INSERT")?.rows;
    expect(rows).toBe(100);
    const there = await tablesOf(database);
    expect(there).toContain("other.t11");
    expect(there.filter((name) => name.startsWith("t"))).toHaveLength(COUNT - 1);
    await godwit.verify();
  });
});

it.each([
  ["a malformed file", { 20: "CREATE TABLE;\n" }, "MIGRATION_MALFORMED"],
  ["an unknown requirement", { 20: "-- godwit:requires 999_nothing\nCREATE TABLE t20 ();\n" }, null],
] as const)("a first run that is refused for %s leaves no history", async (_, other, code) => {
  const { godwit, database } = await testProject(tables(other));
  const error = await godwit.up().then(
    () => null,
    (reason: unknown) => reason as { code: string },
  );
  expect(error?.code).toMatch(code ?? /^GRAPH_/);
  expect(await hasHistory(database)).toBe(false);
  expect(await tablesOf(database)).toEqual([]);
});
