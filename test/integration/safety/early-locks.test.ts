import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createRole, type TestDatabase } from "../../support/postgres.ts";
import { eventsOf, failureOf, statesOf, testProject } from "../../support/project.ts";
import { streamProject } from "../../support/streams.ts";
import { AT_GATE, nobodyLeft, PATIENT, shutGate, testClient } from "./gate.ts";

/** Tables that a session of Godwit has locked for itself alone, by name. */
const LOCKED = `SELECT c.relname AS name FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
  JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND c.relkind IN ('r', 'p')
  AND c.relnamespace = 'public'::regnamespace AND a.application_name LIKE 'godwit%' ORDER BY 1`;

/** Rows of the history, which may not be there yet. */
async function told(database: TestDatabase, sql: string): Promise<unknown[]> {
  return database.query(sql).catch(() => []);
}

describe("the locks of a transaction", () => {
  it("are not taken early behind a statement that may take long", async () => {
    const { database, godwit } = await testProject({
      "1_two.sql": `${PATIENT}ALTER TABLE b ADD COLUMN x int;\n${AT_GATE}\nALTER TABLE a ADD COLUMN x int;\n`,
    });
    await database.query("CREATE TABLE a (id int); CREATE TABLE b (id int)");
    const gate = await shutGate(database);
    const run = godwit.up();
    await gate.reached();
    // What the gate's function might do is not known, so nothing behind it is locked before it.
    expect(await database.query(LOCKED)).toEqual([{ name: "b" }]);
    await gate.open();
    expect((await run).total).toBe(1);
  });

  it("are all taken before the first statement, whichever wants them", async () => {
    const { database, godwit } = await testProject({
      "1_z.sql": "ALTER TABLE z ADD COLUMN x int;\nALTER TABLE a ADD COLUMN x int;\n",
    });
    await database.query(
      "CREATE TABLE a (id int) PARTITION BY RANGE (id); CREATE TABLE a1 PARTITION OF a DEFAULT; CREATE TABLE z (id int)",
    );
    await database.query(`CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE NOTICE 'locked %', (SELECT string_agg(name, ' ') FROM (${LOCKED}) l); END $$;
      CREATE EVENT TRIGGER note ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION note()`);
    const notices = await eventsOf(godwit.up(), "notice");
    expect(notices.map(({ message }) => message)).toEqual(["locked a a1 z", "locked a a1 z"]);
  });

  it("are taken in one order, so that two runs and an application with the other order do not wait for each other", async () => {
    const { database, godwit } = await streamProject({
      ab: {
        files: {
          "1.sql":
            "-- godwit:lock_timeout 20s\nALTER TABLE a ADD COLUMN x int;\nALTER TABLE b ADD COLUMN x int;\n",
        },
      },
      ba: {
        files: {
          "1.sql":
            "-- godwit:lock_timeout 20s\nALTER TABLE b ADD COLUMN y int;\nALTER TABLE a ADD COLUMN y int;\n",
        },
      },
    });
    await database.query(
      "CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)",
    );
    const application = await testClient(database.url);
    await application.query("BEGIN; UPDATE b SET id = id");
    const runs = ["ab", "ba"].map((stream) => godwit.up({ streams: [stream] }));
    const retried = Promise.all(runs.map((run) => eventsOf(run, "migration.retrying")));
    const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation IN ('a'::regclass, 'b'::regclass)";
    const isTold = "SELECT FROM godwit.migration_log WHERE event = 'migration.retried'";
    // Whichever they do, queue or stay out: the application then takes the other table.
    await expect
      .poll(async () => [...(await database.query(waiting)), ...(await told(database, isTold))].length)
      .toBeGreaterThanOrEqual(2);
    await application.query("UPDATE a SET id = id; COMMIT");
    expect(await Promise.all(runs)).toMatchObject([{ total: 1 }, { total: 1 }]);
    const reasons = (await retried).flat().map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason.includes("deadlock"))).toEqual([]);
    expect(await database.query("SELECT a.x, a.y, b.x, b.y FROM a, b")).toHaveLength(1);
  });

  it("leave nothing behind where the run is interrupted while it stays out of the queue", async () => {
    const { database, godwit } = await testProject({ "1_a.sql": "ALTER TABLE a ADD COLUMN x int;\n" });
    await database.query("CREATE TABLE a (id int)");
    const other = await testClient(database.url);
    await other.query("BEGIN; SELECT FROM a");
    await delay(200);
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    const failed = failureOf(run, "INTERRUPTED");
    for await (const event of run) {
      if (event.type === "migration.retrying") controller.abort();
    }
    await failed;
    await nobodyLeft(database);
    expect(await statesOf(godwit)).toEqual(["1_a: pending"]);
    await other.query("COMMIT");
    expect((await godwit.up()).total).toBe(1);
  });

  it("do not fail a migration whose table goes away while they are waited for", async () => {
    const { database, godwit } = await testProject({
      "1_gone.sql": "ALTER TABLE IF EXISTS gone ADD COLUMN x int;\n",
    });
    await database.query("CREATE TABLE gone (id int)");
    const other = await testClient(database.url);
    await other.query("BEGIN; DROP TABLE gone");
    await delay(200);
    const run = godwit.up();
    for await (const event of run) {
      if (event.type === "migration.retrying") await other.query("COMMIT");
    }
    expect((await run).total).toBe(1);
  });

  it("are left to the statements where the role may not lock a table", async () => {
    const role = await createRole();
    const { database, godwit, open } = await testProject({
      "1_refers.sql": "CREATE TABLE child (id int REFERENCES parent);\n",
    });
    await database.query(`CREATE TABLE parent (id int PRIMARY KEY); GRANT REFERENCES ON parent TO ${role.name};
      GRANT ALL ON SCHEMA public TO ${role.name}; GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`);
    const owned = await open({ database: role.urlFor(database.url) });
    expect((await owned.up()).total).toBe(1);
    expect((await godwit.status()).targets[0]?.counts).toMatchObject({ pending: 0 });
    await role.drop([database.url]);
  });
});
