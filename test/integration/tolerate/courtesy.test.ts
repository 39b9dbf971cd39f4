import { describe, expect, it } from "vitest";
import { createRole } from "../../support/postgres.ts";
import { eventsOf, failureOf, historyOf, testProject, writeFiles } from "../../support/project.ts";
import { testClient } from "../safety/gate.ts";
import { projectWith } from "./case.ts";

const LIVE = `CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE orders (id serial PRIMARY KEY, user_id int REFERENCES users, total int DEFAULT 0 CHECK (total >= 0), twice int GENERATED ALWAYS AS (total * 2) STORED);
  CREATE INDEX orders_total ON orders ((total + 1)) WHERE total > 5; ALTER TABLE orders ADD CONSTRAINT small CHECK (total < 1000);
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.total > 1) EXECUTE FUNCTION touch();
  CREATE POLICY own ON orders USING (total > 2)`;
const FILE = `CREATE TABLE IF NOT EXISTS users (id int PRIMARY KEY);
  ALTER TABLE orders ADD COLUMN IF NOT EXISTS user_id int REFERENCES users;
  CREATE INDEX IF NOT EXISTS orders_total ON orders ((total + 1)) WHERE total > 5; ALTER TABLE orders ADD CONSTRAINT small CHECK (total < 1000);
  ALTER TABLE orders ADD COLUMN twice int GENERATED ALWAYS AS (total * 2) STORED;
  CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.total > 1) EXECUTE FUNCTION touch();
  CREATE POLICY own ON orders USING (total > 2);`;

describe("a comparison and the application", () => {
  it("reads tables, indexes, constraints, triggers and policies while others hold every lock on them", async () => {
    const project = await projectWith(LIVE, FILE);
    const application = await testClient(project.database.url);
    await application.query("BEGIN; LOCK TABLE orders, users IN ACCESS EXCLUSIVE MODE");
    const result = await project.godwit.up();
    expect(result.targets[0]?.migrations[0]?.tolerated).toHaveLength(7);
    await application.query("ROLLBACK");
  });

  it("holds no lock on anything live but such as readers hold", async () => {
    const project = await projectWith(
      `${LIVE}; CREATE VIEW v AS SELECT total FROM orders; CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self)`,
      `CREATE VIEW v AS SELECT total FROM orders; CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self); ${FILE}`,
    );
    await project.database
      .query(`CREATE SEQUENCE looks; CREATE FUNCTION look() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE held text; BEGIN
      SELECT string_agg(DISTINCT c.relname || ': ' || l.mode, ', ') INTO held FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE l.pid = pg_backend_pid() AND n.nspname = 'public' AND l.mode <> 'AccessShareLock' AND c.relname <> 'looks';
      PERFORM nextval('looks');
      IF held IS NOT NULL THEN RAISE EXCEPTION 'locked: %', held; END IF; END $$;
      CREATE EVENT TRIGGER look ON ddl_command_end EXECUTE FUNCTION look()`);
    const result = await project.godwit.up();
    expect(result.targets[0]?.migrations[0]?.tolerated).toHaveLength(9);
    const [looks] = await project.database.query<{ n: number }>("SELECT last_value::int AS n FROM looks");
    expect(looks?.n).toBeGreaterThan(25);
  });

  it("waits for the tables of a view no longer than lock_timeout, and says who is in the way", async () => {
    const project = await projectWith(
      "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t",
      "CREATE VIEW v AS SELECT a FROM t;",
    );
    const application = await testClient(project.database.url);
    await application.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    const run = project.godwit.up();
    let attempts = 0;
    for await (const event of run) {
      if (event.type !== "migration.retrying") continue;
      attempts += 1;
      if (attempts < 2) continue;
      expect(event.reason).toContain("(test): BEGIN; LOCK TABLE t");
      await application.query("ROLLBACK");
    }
    expect((await run).targets[0]?.migrations[0]?.tolerated).toEqual(["view public.v"]);
    expect(await historyOf(project.database)).toMatchObject([{ id: "1_a", status: "completed" }]);
  });

  it("says what the role lacks", async () => {
    const project = await testProject({
      "1_a.sql": "CREATE TABLE a (x int);",
    });
    await project.godwit.up();
    const role = await createRole();
    await project.database.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${role.name};
      GRANT USAGE ON SCHEMA godwit TO ${role.name}; GRANT ALL ON ALL TABLES IN SCHEMA godwit TO ${role.name}; GRANT ALL ON ALL SEQUENCES IN SCHEMA godwit TO ${role.name}`);
    await project.write({
      "2_b.sql": "-- godwit:tolerate existing\nCREATE TABLE IF NOT EXISTS a (x int);\n",
    });
    const limited = await project.open({ database: role.urlFor(project.database.url) });
    const error = await failureOf(limited.up(), "PERMISSION_DENIED");
    expect(error.hint).toContain(`GRANT CREATE ON DATABASE ${project.database.name} TO ${role.name}`);
    await role.drop([project.database.url]);
  });
});

describe("what a tolerant run says", () => {
  it("names the objects in events, result and history", async () => {
    const project = await projectWith(
      "CREATE TABLE a (x int)",
      "CREATE TABLE IF NOT EXISTS a (x int);\nCREATE TABLE b (y int);",
    );
    const run = project.godwit.up();
    await run;
    expect(await eventsOf(run, "statement.tolerated")).toMatchObject([
      { ordinal: 1, tag: "CREATE TABLE", object: "table public.a" },
    ]);
    expect(await eventsOf(run, "statement.finished")).toMatchObject([{ ordinal: 2 }]);
    const [entry] = await project.database.query<{ details: { statements: unknown[] } }>(
      "SELECT details FROM godwit.migration_log WHERE event = 'migration.applied'",
    );
    expect(entry?.details.statements).toMatchObject([
      { ordinal: 1, tolerated: "table public.a" },
      { ordinal: 2, rows: null },
    ]);
  });

  it("says it of an index CONCURRENTLY and of a file without a transaction as well", async () => {
    const project = await projectWith(
      "CREATE TABLE a (x int); CREATE INDEX a_x ON a (x)",
      "-- godwit:transaction off\nCREATE TABLE IF NOT EXISTS a (x int);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_x ON a (x);",
    );
    const result = await project.godwit.up();
    expect(result.targets[0]?.migrations[0]?.tolerated).toEqual(["table public.a", "index public.a_x"]);
    const entries = await project.database.query<{ details: { statements: unknown[] } }>(
      "SELECT details FROM godwit.migration_log WHERE event = 'step.finished' ORDER BY seq",
    );
    expect(entries.map(({ details }) => details.statements)).toMatchObject([
      [{ tolerated: "table public.a" }],
      [{ tolerated: "index public.a_x" }],
    ]);
  });

  it("stops before it in a file of several steps, and goes on once it is mended", async () => {
    const project = await projectWith(
      "CREATE TABLE a (x int, y int); CREATE INDEX a_x ON a (y)",
      "CREATE TABLE b (x int);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_x ON a (x);",
    );
    const error = await failureOf(project.godwit.up(), "OBJECT_DIFFERS");
    expect(error.detail).toBe("index: (y), the file says (x)");
    await project.database.query("DROP INDEX a_x; CREATE INDEX a_x ON a (x)");
    const result = await project.godwit.up();
    expect(result.targets[0]?.migrations[0]?.tolerated).toEqual(["index public.a_x"]);
    expect(await historyOf(project.database)).toMatchObject([{ id: "1_a", status: "completed" }]);
  });

  it("runs a bulk of files of which some are tolerant", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 14 }, (_, index) => [
        `${String(index).padStart(2, "0")}_t.sql`,
        `${index % 3 === 0 ? "-- godwit:tolerate existing\n" : ""}CREATE TABLE t${index} (x int);\n`,
      ]),
    );
    const project = await testProject(files);
    await project.database.query("CREATE TABLE t6 (x int); CREATE TABLE t9 (x int)");
    const result = await project.godwit.up();
    expect(result.total).toBe(14);
    expect(result.targets[0]?.migrations.flatMap(({ tolerated }) => tolerated)).toEqual([
      "table public.t6",
      "table public.t9",
    ]);
  });

  it("leaves a file that is not tolerant as it is", async () => {
    const project = await testProject({
      "1_a.sql": "CREATE TABLE IF NOT EXISTS a (x int);\n",
      "2_b.sql": "CREATE TABLE a (x int);\n",
    });
    await project.database.query("CREATE TABLE a (y text)");
    const error = await failureOf(project.godwit.up(), "MIGRATION_FAILED");
    expect(error.sqlstate).toBe("42P07");
    expect(await historyOf(project.database)).toMatchObject([
      { id: "1_a", status: "completed" },
      { id: "2_b", status: "failed" },
    ]);
  });

  it("is tolerant of all files where the configuration says so", async () => {
    const project = await testProject({ "1_a.sql": "CREATE TABLE IF NOT EXISTS a (x int);\n" });
    await project.database.query("CREATE TABLE a (x text)");
    await writeFiles(project.root, {
      "godwit.config.yaml": `migrations: migrations\ndatabase: "${project.database.url}"\nsafety: { tolerate_existing: true }\n`,
    });
    const tolerant = await project.open({ config: "godwit.config.yaml" });
    const error = await failureOf(tolerant.up(), "OBJECT_DIFFERS");
    expect(error.detail).toBe("column x: text, the file says integer");
  });

  it("accepts what another session has made at the same moment, if it equals", async () => {
    const project = await projectWith("", "CREATE TABLE race (x int);");
    const other = await testClient(project.database.url);
    await other.query("BEGIN; CREATE TABLE race (x int)");
    const run = project.godwit.up();
    const waits =
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await expect.poll(() => project.database.query(waits), { timeout: 20_000 }).toEqual([{ n: 1 }]);
    await other.query("COMMIT");
    expect((await run).targets[0]?.migrations[0]?.tolerated).toEqual(["table public.race"]);
  });
});
