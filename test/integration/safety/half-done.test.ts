import { describe, expect, it } from "vitest";
import { Project } from "../../e2e/cli-harness.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { historyOf, tablesOf } from "../../support/project.ts";
import { testClient } from "./gate.ts";

/** A kind of statement that stands alone, and what holds it up at which moment. */
interface Crash {
  readonly kind: string;
  readonly setUp: string;
  readonly statement: string;
  /** Keeps it from its first lock: nothing of it has been done. */
  readonly before: string;
  /** Holds it up when a part of it has been committed. */
  readonly middle: string;
  /** Tells that it has got so far: rows when it has. */
  readonly isHalf: string;
  /** A value for what is to be there in the end. */
  readonly result: string;
  readonly expected: unknown;
}

const VALID = (table: string): string =>
  `SELECT coalesce(array_agg(c.relname::text || CASE WHEN indisvalid THEN '' ELSE ' invalid' END ORDER BY 1), '{}') AS value
   FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = '${table}'::regclass`;
const INVALID = (table: string): string =>
  `SELECT FROM pg_index WHERE indrelid = '${table}'::regclass AND NOT indisvalid`;
/** The indexes of all tables of a schema and of their TOAST tables, if they are not valid. */
const ALL_VALID = `SELECT coalesce(array_agg(c.relname::text), '{}') AS value FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON i.indrelid IN (t.oid, t.reltoastrelid) WHERE t.relnamespace = 'public'::regnamespace AND NOT indisvalid`;
const PARTITIONED = `CREATE TABLE p (id int) PARTITION BY RANGE (id);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (9) TO (99)`;
const TABLE = "CREATE TABLE t (id int, name text)";
const WRITER = "INSERT INTO t VALUES (1)";
const READER = "SELECT FROM t";
const LOCK = "LOCK TABLE t";

const CRASHES: readonly Crash[] = [
  {
    kind: "CREATE INDEX CONCURRENTLY",
    setUp: TABLE,
    statement: "CREATE INDEX CONCURRENTLY t_name ON t (lower(name)) WHERE id > 0",
    before: LOCK,
    middle: WRITER,
    isHalf: INVALID("t"),
    result: VALID("t"),
    expected: ["t_name"],
  },
  {
    kind: "CREATE INDEX CONCURRENTLY without a name",
    setUp: `${TABLE}; CREATE INDEX other ON t (id)`,
    statement: "CREATE INDEX CONCURRENTLY ON t (id)",
    before: LOCK,
    middle: WRITER,
    isHalf: INVALID("t"),
    result: VALID("t"),
    expected: ["other", "t_id_idx"],
  },
  {
    kind: "DROP INDEX CONCURRENTLY",
    setUp: `${TABLE}; CREATE INDEX t_id ON t (id)`,
    statement: "DROP INDEX CONCURRENTLY t_id",
    before: LOCK,
    middle: READER,
    isHalf: INVALID("t"),
    result: VALID("t"),
    expected: [],
  },
  {
    kind: "REINDEX INDEX CONCURRENTLY",
    setUp: `${TABLE}; CREATE INDEX t_id ON t (id)`,
    statement: "REINDEX INDEX CONCURRENTLY t_id",
    before: LOCK,
    middle: WRITER,
    isHalf: INVALID("t"),
    result: VALID("t"),
    expected: ["t_id"],
  },
  {
    kind: "REINDEX TABLE CONCURRENTLY",
    setUp: `${TABLE}; CREATE INDEX t_id ON t (id)`,
    statement: "REINDEX TABLE CONCURRENTLY t",
    before: LOCK,
    middle: WRITER,
    isHalf: INVALID("t"),
    result: ALL_VALID,
    expected: [],
  },
  {
    kind: "REINDEX SCHEMA CONCURRENTLY",
    setUp: `${TABLE}; CREATE INDEX t_id ON t (id)`,
    statement: "REINDEX SCHEMA CONCURRENTLY public",
    before: LOCK,
    middle: WRITER,
    isHalf: INVALID("t"),
    result: ALL_VALID,
    expected: [],
  },
  {
    kind: "DETACH PARTITION CONCURRENTLY",
    setUp: `${PARTITIONED}; ${TABLE}`,
    statement: "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
    before: "LOCK TABLE p",
    middle: "SELECT FROM p",
    isHalf: "SELECT FROM pg_inherits WHERE inhparent = 'p'::regclass AND inhdetachpending",
    result:
      "SELECT array_agg(inhrelid::regclass::text) AS value FROM pg_inherits WHERE inhparent = 'p'::regclass",
    expected: ["p2"],
  },
];

/** The session that runs a statement. */
async function running(database: TestDatabase, statement: string): Promise<number> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
    AND pid <> pg_backend_pid() AND query = $1`;
  await expect.poll(() => database.query(sql, [statement]), { timeout: 20_000 }).toHaveLength(1);
  return (await database.query<{ pid: number }>(sql, [statement]))[0]!.pid;
}

async function isThere(database: TestDatabase, pid: number): Promise<boolean> {
  return (await database.query("SELECT FROM pg_stat_activity WHERE pid = $1", [pid])).length > 0;
}

describe.each(CRASHES)("$kind", (crash) => {
  const { setUp, statement, isHalf, result, expected } = crash;

  async function held(by: string): Promise<{
    database: TestDatabase;
    project: Project;
    pid: number;
    kill: () => Promise<void>;
    letGo: () => Promise<unknown>;
  }> {
    const database = await testDatabase();
    await database.query(setUp);
    const project = new Project(
      { "migrations/1_a.sql": `CREATE TABLE a ();\n${statement};\nCREATE TABLE b ();\n` },
      { DATABASE_URL: database.url },
    );
    const blocker = await testClient(database.url);
    await blocker.query(`BEGIN; ${by}`);
    const cli = project.start(["up"]);
    const pid = await running(database, statement);
    return {
      database,
      project,
      pid,
      kill: async () => {
        cli.child.kill("SIGKILL");
        expect((await cli.finished).signal).toBe("SIGKILL");
      },
      letGo: () => blocker.query("COMMIT"),
    };
  }

  async function expectCompleted(database: TestDatabase, project: Project): Promise<string> {
    expect(await database.query("SELECT ordinal, state FROM godwit.migration_steps ORDER BY 1")).toEqual([
      { ordinal: 1, state: "done" },
      { ordinal: 2, state: "intended" },
    ]);
    expect((await project.run(["status", "--exit-code"])).exit).toBe(3);
    const { exit, stderr } = await project.run(["up"]);
    expect(exit, stderr).toBe(0);
    expect(await database.query(result)).toEqual([{ value: expected }]);
    expect(await tablesOf(database)).toEqual(expect.arrayContaining(["a", "b"]));
    expect(await historyOf(database)).toMatchObject([{ id: "1_a", status: "completed" }]);
    expect(await database.query("SELECT FROM godwit.migration_steps")).toEqual([]);
    expect((await project.run(["verify"])).exit).toBe(0);
    return stderr;
  }

  it("killed before it did anything is run", async () => {
    const { database, project, pid, kill, letGo } = await held(crash.before);
    await kill();
    await database.query("SELECT pg_terminate_backend($1, 5000)", [pid]);
    await letGo();
    expect(await database.query(isHalf)).toEqual([]);
    await expectCompleted(database, project);
  });

  it("killed in the middle is completed", async () => {
    const { database, project, pid, kill, letGo } = await held(crash.middle);
    await expect.poll(() => database.query(isHalf), { timeout: 20_000 }).toHaveLength(1);
    await kill();
    await database.query("SELECT pg_terminate_backend($1, 5000)", [pid]);
    await letGo();
    expect(await database.query(isHalf)).toHaveLength(1);
    await expectCompleted(database, project);
  });

  it("that the server finished after its client had been killed counts as done", async () => {
    const { database, project, pid, kill, letGo } = await held(crash.middle);
    await expect.poll(() => database.query(isHalf), { timeout: 20_000 }).toHaveLength(1);
    await kill();
    await letGo();
    await expect.poll(() => isThere(database, pid), { timeout: 20_000 }).toBe(false);
    await expectCompleted(database, project);
  });
});
