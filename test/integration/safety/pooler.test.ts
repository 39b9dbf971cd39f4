import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { createGodwit } from "../../../src/index.ts";
import { Project } from "../../e2e/cli-harness.ts";
import { createRole, serverUrl, testDatabase } from "../../support/postgres.ts";
import {
  eventsOf,
  failureOf,
  hasHistory,
  statesOf,
  tablesOf,
  testProject,
  writeFiles,
} from "../../support/project.ts";
import { testClient } from "./gate.ts";
import { havePgbouncer, startPgbouncer, type Pooler, type PoolMode } from "./pgbouncer.ts";

const ONE = { "1_a.sql": "CREATE TABLE a (id int);\n" };
const present = havePgbouncer();

describe.skipIf(!present).each<PoolMode>(["transaction", "session"])(
  "through PgBouncer in %s mode",
  (mode) => {
    let pooler: Pooler;
    beforeAll(async () => {
      pooler = await startPgbouncer(serverUrl(), mode);
      return () => pooler.stop();
    });

    it("what needs a session of its own is refused before anything runs, and the rest goes through", async () => {
      const database = await testDatabase();
      const alone = "CREATE INDEX CONCURRENTLY a_id ON a (id);\n";
      const project = new Project(
        { "migrations/1_a.sql": ONE["1_a.sql"], "migrations/2_i.sql": alone },
        { DATABASE_URL: pooler.urlFor(database.url) },
      );
      const refused = await project.run(["up", "--json"]);
      expect(refused.exit, refused.stderr).toBe(2);
      expect(JSON.parse(refused.stdout)).toMatchObject({
        code: "POOLER_NEEDS_DIRECT_URL",
        error: {
          message: expect.stringContaining("2_i: CREATE INDEX CONCURRENTLY cannot run"),
          hint: expect.stringContaining("--direct-url"),
          location: { line: 1, column: 1 },
        },
      });
      expect(await hasHistory(database)).toBe(false);
      expect(await tablesOf(database)).toEqual([]);

      const direct = await project.run(["up", "--direct-url", database.url]);
      expect(direct.exit, direct.stderr).toBe(0);
      expect(await tablesOf(database)).toEqual(["a"]);
      // Nothing is pending any more, so that no session of its own is needed.
      expect((await project.run(["up"])).exit).toBe(0);
      project.write({ "migrations/3_b.sql": "CREATE TABLE b (id int);\n" });
      const through = await project.run(["up"]);
      expect(through.exit, through.stderr).toBe(0);
      expect(await database.query("SELECT provider FROM godwit.migration_locks")).toEqual([
        { provider: "lease" },
      ]);
      expect(await tablesOf(database)).toEqual(["a", "b"]);
    });

    it("nothing of a migration stays in the pooler's sessions, and each runs with its own settings", async () => {
      const { database, open, write } = await testProject({
        "1_set.sql": `SET search_path = pg_catalog; SET work_mem = '77MB'; SET ROLE NONE;
          CREATE TEMP TABLE t (id int);
          CREATE TABLE public.seen AS SELECT current_setting('lock_timeout') AS lock_timeout,
            current_setting('application_name') LIKE 'godwit/%' AS named;\n`,
        "2_own.sql":
          "-- godwit:lock_timeout 3s\nINSERT INTO seen VALUES (current_setting('lock_timeout'), current_setting('search_path') = '\"$user\", public');\n" +
          // Long enough to be watched.
          "SELECT pg_sleep(2);\n",
      });
      const godwit = await open({ database: pooler.urlFor(database.url) });
      expect((await godwit.up()).total).toBe(2);
      expect(await database.query("SELECT * FROM seen")).toEqual([
        { lock_timeout: "500ms", named: true },
        { lock_timeout: "3s", named: true },
      ]);
      // More sessions than the pool has, so that each of its is looked at.
      const clients = await Promise.all(
        Array.from({ length: 3 }, () => testClient(pooler.urlFor(database.url))),
      );
      const looks = await Promise.all(
        clients.map((client) =>
          client.query(
            `SELECT current_setting('work_mem') AS work_mem, current_setting('lock_timeout') AS lock_timeout,
               current_setting('statement_timeout') AS statement_timeout, current_setting('jit') AS jit,
               current_setting('application_name') LIKE 'godwit/%' AS named, to_regclass('t') AS temporary, pg_sleep(0.2)::text AS slept`,
          ),
        ),
      );
      for (const { rows } of looks) {
        expect(rows).toEqual([
          {
            work_mem: "4MB",
            lock_timeout: "0",
            statement_timeout: "0",
            jit: "on",
            named: false,
            temporary: null,
            slept: "",
          },
        ]);
      }
      await Promise.all(clients.map((client) => client.end()));
      await write({ "3_bad.sql": "SET work_mem = '78MB';\nCREATE TABLE c (id int);\nSELECT 1/0;\n" });
      await failureOf(godwit.up(), "MIGRATION_FAILED");
      expect(await tablesOf(database)).toEqual(["seen"]);
      expect(await statesOf(godwit)).toContain("3_bad: failed");
    });

    it("a code migration in a transaction, down and redo go through as well", async () => {
      const both = (name: string): string =>
        `-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n`;
      const { database, open } = await testProject({
        "1_a.sql": both("a"),
        "2_code.mjs":
          "export const up = (db) => db.query('CREATE TABLE b (id int)');\nexport const down = (db) => db.query('DROP TABLE b');\n",
      });
      const godwit = await open({ database: pooler.urlFor(database.url) });
      expect((await godwit.up()).total).toBe(2);
      expect((await godwit.redo({ steps: 2 })).total).toBe(4);
      expect(await tablesOf(database)).toEqual(["a", "b"]);
      expect((await godwit.down({ all: true })).total).toBe(2);
      expect(await tablesOf(database)).toEqual([]);
    });

    it("who stays in the way of a table is waited for and ended through it as well", async () => {
      const { database, open } = await testProject({
        "1_alter.sql": "ALTER TABLE users ADD COLUMN n int;\n",
      });
      const role = await createRole();
      await database.query(`CREATE TABLE users (id int); GRANT ALL ON users TO ${role.name}`);
      const blocker = await testClient(role.urlFor(database.url));
      const { rows } = await blocker.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await blocker.query("BEGIN; SELECT FROM users");
      await delay(1000);
      const godwit = await open({
        database: pooler.urlFor(database.url),
        terminateBlockersAfterMs: 1500,
      });
      const run = godwit.up();
      expect((await run).total).toBe(1);
      expect(await eventsOf(run, "blocker.signalled")).toMatchObject([
        { act: "terminate", pid: rows[0]?.pid },
      ]);
      const reasons = (await eventsOf(run, "migration.retrying")).map(({ reason }) => reason);
      expect(reasons[0]).toMatch(/^public\.users is in use, held by/);
    });

    it("a look at the catalog that has to wait is given up", async () => {
      const { database, open } = await testProject({
        "1_alter.sql": "ALTER TABLE users ADD COLUMN n int;\n",
      });
      await database.query("CREATE TABLE users (id int)");
      const other = await testClient(database.url);
      // As VACUUM FULL does.
      await other.query("BEGIN; LOCK TABLE pg_catalog.pg_inherits IN ACCESS EXCLUSIVE MODE");
      const godwit = await open({ database: pooler.urlFor(database.url), lockTimeoutMs: 300 });
      const run = godwit.up({ timeoutMs: 30_000 });
      for await (const event of run) if (event.type === "migration.retrying") await other.query("COMMIT");
      expect((await run).total).toBe(1);
    });

    it("twenty at once apply everything once, some of them past the pooler", async () => {
      const { database, open } = await testProject({
        "1_counter.sql": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);\n",
        "2_count.sql": "UPDATE counter SET n = n + 1;\n",
      });
      const url = pooler.urlFor(database.url);
      const ways = [
        { database: url },
        { database: database.url },
        { database: url, directUrl: database.url },
      ];
      const runs = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => (await open(ways[index % 3])).up()),
      );
      expect(runs.reduce((sum, { total }) => sum + total, 0)).toBe(2);
      expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 1 }]);
      // Who finds after waiting that all is done claims nothing.
      const [row] = await database.query<{ token: number }>("SELECT token::int FROM godwit.migration_locks");
      expect(row?.token).toBeLessThan(20);
    });

    it("the advisory lock is refused without a way past it, and taken past it", async () => {
      const { database, open } = await testProject(ONE);
      const { config } = await open({ database: pooler.urlFor(database.url) });
      const lock = { ...config.lock, provider: "advisory" } as const;
      const refused = await createGodwit({ config: { ...config, lock }, env: {} });
      await failureOf(refused.up(), "POOLER_NEEDS_DIRECT_URL");
      expect(await tablesOf(database)).toEqual([]);
      const { config: both } = await open({ database: pooler.urlFor(database.url), directUrl: database.url });
      const godwit = await createGodwit({ config: { ...both, lock }, env: {} });
      expect((await godwit.up()).total).toBe(1);
      expect(await database.query("SELECT provider FROM godwit.migration_locks")).toEqual([
        { provider: "advisory" },
      ]);
    });

    describe.each(["auto", "lease", "advisory"] as const)("a direct_url, with %s,", (provider) => {
      it.each(["without a history", "whose history is longer"])(
        "that leads to a database %s is told before anything runs",
        async (what) => {
          const { database, open } = await testProject(ONE);
          const other = await testProject({ "1_other.sql": "CREATE TABLE other ();\n" });
          if (what === "whose history is longer") {
            for (const table of ["b", "c", "d"]) {
              await other.write({ [`2_${table}.sql`]: `CREATE TABLE ${table} ();\n` });
              await other.godwit.up();
            }
          }
          const before = [await tablesOf(other.database), await hasHistory(other.database)];
          const { config } = await open({
            database: pooler.urlFor(database.url),
            directUrl: other.database.url,
          });
          const godwit = await createGodwit({
            config: { ...config, lock: { ...config.lock, provider } },
            env: {},
          });
          const run = godwit.up();
          const retried = eventsOf(run, "target.retrying");
          await failureOf(run, "CONFIG_INVALID");
          expect(await retried).toEqual([]);
          expect(await tablesOf(database)).toEqual([]);
          expect([await tablesOf(other.database), await hasHistory(other.database)]).toEqual(before);
        },
      );
    });

    it("a direct_url where nobody answers is told at once, and by its name", async () => {
      const { database, open } = await testProject(ONE);
      const nowhere = new URL(database.url);
      nowhere.port = "1";
      const godwit = await open({ database: pooler.urlFor(database.url), directUrl: nowhere.href });
      const run = godwit.up();
      const retried = eventsOf(run, "target.retrying");
      const error = await failureOf(run, "DATABASE_UNREACHABLE");
      expect(error.message).toMatch(/^direct_url: /);
      expect(await retried).toEqual([]);
    });

    it("everything that only reads works", async () => {
      const { database, godwit: direct, open, write } = await testProject(ONE);
      const godwit = await open({ database: pooler.urlFor(database.url) });
      expect(await statesOf(godwit)).toEqual(["1_a: pending"]);
      await direct.up();
      await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
      expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);
      expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
      expect((await godwit.history()).targets[0]?.entries.length).toBeGreaterThan(0);
      expect((await godwit.repair()).remaining).toEqual([]);
      expect((await godwit.wait({ for: ["1_a"], timeoutMs: 1000 })).reached).toBe(true);
      await Promise.all(Array.from({ length: 8 }, () => godwit.status()));
    });

    it("a plan is refused as what it plans is, unless there is nothing to do", async () => {
      const down = { direction: "down" } as const;
      const alone =
        "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\nDROP TABLE a;\n";
      const { database, godwit: direct, open } = await testProject({ "1_a.sql": alone });
      const godwit = await open({ database: pooler.urlFor(database.url) });
      const error = await failureOf(godwit.plan(), "POOLER_NEEDS_DIRECT_URL");
      expect(error.hint).toContain("direct_url");
      await direct.up();
      expect((await godwit.plan()).plans[0]?.migrations).toEqual([]);
      await failureOf(godwit.plan(down), "POOLER_NEEDS_DIRECT_URL");
      await failureOf(godwit.down(), "POOLER_NEEDS_DIRECT_URL");
      expect(await tablesOf(database)).toEqual(["a"]);
      const past = await open({ database: pooler.urlFor(database.url), directUrl: database.url });
      expect((await past.plan(down)).plans[0]).toMatchObject({ migrations: [{ id: "1_a" }], warnings: [] });
      expect((await past.down()).total).toBe(1);
    });

    it("direct_url of the configuration is what runs", async () => {
      const { database, open } = await testProject(ONE);
      const godwit = await open({ database: pooler.urlFor(database.url), directUrl: database.url });
      expect((await godwit.up()).total).toBe(1);
      expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
    });

    it("one stream of several is enough to refuse, before any of them runs", async () => {
      const { database, open, root } = await testProject({});
      const pooled = await open({ database: pooler.urlFor(database.url) });
      const direct = await open();
      await writeFiles(root, {
        "first/1_f.sql": "CREATE TABLE f ();\n",
        "second/1_s.sql": "CREATE TABLE s (id int);\nCREATE INDEX CONCURRENTLY i ON s (id);\n",
      });
      const streams = [
        { ...direct.config.streams[0]!, name: "first", migrations: join(root, "first") },
        { ...pooled.config.streams[0]!, name: "second", migrations: join(root, "second") },
      ];
      const godwit = await createGodwit({ config: { ...direct.config, streams }, env: {} });
      await failureOf(godwit.up(), "POOLER_NEEDS_DIRECT_URL");
      expect(await tablesOf(database)).toEqual([]);
      expect(await hasHistory(database)).toBe(false);
    });
  },
);
