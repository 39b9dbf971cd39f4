import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withClient } from "../../support/postgres.ts";
import { failureOf, hasHistory, idsOf, tablesOf, testProject } from "../../support/project.ts";

const table = (name: string): string => `CREATE TABLE ${name} (id int);\n`;

describe("plan", () => {
  it("is the exact SQL, its steps and their reasons, and touches nothing", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql":
        "-- godwit:lock_timeout 7s\n-- migrate:up\n" +
        "CREATE TABLE a (id int);\nCREATE TYPE t AS ENUM ('x');\nCREATE INDEX CONCURRENTLY i ON a (id);\n" +
        "ALTER TYPE t ADD VALUE 'y';\nINSERT INTO a VALUES (1);\n-- migrate:down\nDROP TABLE a;\n",
    });
    const { plans } = await godwit.plan();
    expect(plans).toMatchObject([
      { stream: "default", target: "default", direction: "up", historySchema: "godwit", warnings: [] },
    ]);
    const [migration] = plans[0]!.migrations;
    expect(migration).toMatchObject({
      id: "1_a",
      reason: "pending",
      path: join("migrations", "1_a.sql"),
      resume: null,
      lockTimeoutMs: 7000,
    });
    const steps = migration!.steps.map((step) =>
      step.kind === "transaction"
        ? step.statements.map(({ sql }) => sql)
        : step.kind === "standalone"
          ? `alone: ${step.statement.sql}`
          : step.kind,
    );
    expect(steps).toEqual([
      ["CREATE TABLE a (id int)", "CREATE TYPE t AS ENUM ('x')"],
      "alone: CREATE INDEX CONCURRENTLY i ON a (id)",
      ["ALTER TYPE t ADD VALUE 'y'"],
      ["INSERT INTO a VALUES (1)"],
    ]);
    expect(await hasHistory(database)).toBe(false);
    expect(await tablesOf(database)).toEqual([]);
  });

  it("is what up then does, in this order", async () => {
    const { godwit, write } = await testProject({
      "1_a.sql": `-- godwit:requires 2_b\n${table("a")}`,
      "2_b.sql": `-- godwit:requires 3_c\n${table("b")}`,
      "3_c.sql": "-- godwit:requires 4_d\nSELECT 1;",
      "4_d.sql": "-- godwit:requires 5_e\nSELECT 1;",
      "5_e.sql": "-- godwit:requires 0_z\nSELECT 1;",
      "0_z.sql": "SELECT 1;",
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
    });
    for (const options of [{ steps: 2 }, { to: "4_d" }, {}]) {
      const planned = (await godwit.plan(options)).plans[0]!.migrations.map(({ id }) => id);
      expect(idsOf(await godwit.up(options))).toEqual(planned);
    }
    await write({ "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 2;" });
    expect((await godwit.plan()).plans[0]?.migrations).toMatchObject([{ id: "v", reason: "changed" }]);
  });

  it("is plain data", async () => {
    const { godwit } = await testProject({ "1_a.sql": table("a") });
    const { plans } = await godwit.plan();
    expect(JSON.parse(JSON.stringify(plans))).toEqual(plans);
  });

  it("is empty where nothing is pending", async () => {
    const { godwit } = await testProject({ "1_a.sql": table("a") });
    await godwit.up();
    expect((await godwit.plan()).plans[0]?.migrations).toEqual([]);
  });

  it("of down is the stored SQL, without and with a history", async () => {
    const { godwit, write, database } = await testProject({
      "1_a.sql": `-- migrate:up\n${table("a")}-- migrate:down\nDROP TABLE a;\n`,
    });
    expect((await godwit.plan({ direction: "down", all: true })).plans[0]?.migrations).toEqual([]);
    expect(await hasHistory(database)).toBe(false);
    await godwit.up();
    await write({ "1_a.sql": `-- migrate:up\n${table("a")}-- migrate:down\nDROP TABLE aa;\n` });
    const { plans } = await godwit.plan({ direction: "down" });
    expect(plans[0]).toMatchObject({
      direction: "down",
      warnings: [{ message: expect.stringContaining("1_a") }],
    });
    expect(plans[0]?.migrations).toMatchObject([
      { id: "1_a", direction: "down", steps: [{ statements: [{ sql: "DROP TABLE a" }] }] },
    ]);
    await failureOf(godwit.plan({ direction: "down", steps: 0 }), "USAGE");
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it("refuses what the verb would refuse", async () => {
    const { godwit, write } = await testProject({ "2_b.sql": table("b") });
    await godwit.up();
    await failureOf(godwit.plan({ direction: "down" }), "IRREVERSIBLE");
    await write({ "1_a.sql": table("a") });
    await failureOf(godwit.plan(), "OUT_OF_ORDER");
    await write({ "1_a.sql": "-- godwit:requires 9_z\nSELECT 1;" });
    await failureOf(godwit.plan(), "GRAPH_UNKNOWN_REQUIREMENT");
    await write({ "1_a.sql": "-- godwit:requires 2_b\nSELECT 1;", "2_b.sql": table("bb") });
    await failureOf(godwit.plan(), "CHECKSUM_MISMATCH");
    const { hint } = await failureOf(godwit.plan({ to: "nowhere" }), "CHECKSUM_MISMATCH");
    expect(hint).toContain("godwit repair accept-checksum 2_b");
  });

  it("asks the catalog what must stand alone", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": "REINDEX TABLE p;\nREINDEX TABLE o;\n" });
    await database.query("CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE o (id int)");
    const [migration] = (await godwit.plan()).plans[0]!.migrations;
    expect(migration?.steps.map(({ kind }) => kind)).toEqual(["standalone", "transaction"]);
  });

  it("tells where a half done one goes on", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1/0;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await godwit.plan()).plans[0]?.migrations).toMatchObject([
      { reason: "half applied", resume: { done: 2, next: null } },
    ]);
  });

  it("waits for nobody's lock", async () => {
    const { godwit, database } = await testProject({ "1_a.sql": table("a"), "2_b.sql": "SELECT * FROM a;" });
    await godwit.up({ steps: 1 });
    await withClient(database.url, async (client) => {
      await client.query(
        "BEGIN; LOCK TABLE a; SELECT pg_advisory_xact_lock(classid::bigint << 32 | objid::bigint) FROM pg_locks WHERE false",
      );
      expect((await godwit.plan()).plans[0]?.migrations).toHaveLength(1);
    });
  });
});
