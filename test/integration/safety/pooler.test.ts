import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createGodwit } from "../../../src/index.ts";
import { Project } from "../../e2e/cli-harness.ts";
import { serverUrl, testDatabase } from "../../support/postgres.ts";
import { failureOf, hasHistory, statesOf, tablesOf, testProject, writeFiles } from "../../support/project.ts";
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

    it("up is refused before anything runs, and says what to type", async () => {
      const database = await testDatabase();
      const project = new Project(
        { "migrations/1_a.sql": ONE["1_a.sql"] },
        { DATABASE_URL: pooler.urlFor(database.url) },
      );
      const refused = await project.run(["up", "--json"]);
      expect(refused.exit).toBe(2);
      expect(JSON.parse(refused.stdout)).toMatchObject({
        code: "POOLER_NEEDS_DIRECT_URL",
        error: { hint: expect.stringContaining("--direct-url") },
      });
      expect(await hasHistory(database)).toBe(false);
      expect(await tablesOf(database)).toEqual([]);
      expect(
        await database.query(
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        ),
      ).toEqual([]);

      const direct = await project.run(["up", "--direct-url", database.url]);
      expect(direct.exit, direct.stderr).toBe(0);
      expect(await tablesOf(database)).toEqual(["a"]);
      // Nothing is pending any more, so that no session of its own is needed.
      expect((await project.run(["up"])).exit).toBe(0);
      expect((await project.run(["down"])).exit).not.toBe(0);
      expect(await tablesOf(database)).toEqual(["a"]);
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
      const {
        database,
        godwit: direct,
        open,
        write,
      } = await testProject({
        "1_a.sql": "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n",
      });
      const godwit = await open({ database: pooler.urlFor(database.url) });
      const error = await failureOf(godwit.plan(), "POOLER_NEEDS_DIRECT_URL");
      expect(error.hint).toContain("direct_url");
      expect((await godwit.plan(down)).plans[0]?.migrations).toEqual([]);
      await direct.up();
      expect((await godwit.plan()).plans[0]?.migrations).toEqual([]);
      await failureOf(godwit.plan(down), "POOLER_NEEDS_DIRECT_URL");
      await write({ "2_b.sql": "CREATE TABLE b (id int);\n" });
      await failureOf(godwit.plan(), "POOLER_NEEDS_DIRECT_URL");
      const past = await open({ database: pooler.urlFor(database.url), directUrl: database.url });
      expect((await past.plan()).plans[0]?.migrations).toMatchObject([{ id: "2_b" }]);
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
        "second/1_s.sql": "CREATE TABLE s ();\n",
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
