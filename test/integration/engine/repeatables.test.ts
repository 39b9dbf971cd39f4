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

const view = (name: string, value: number | string): string =>
  `CREATE OR REPLACE VIEW ${name} AS SELECT ${value} AS x;\n`;
const table = (name: string): string =>
  `-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name} CASCADE;\n`;

describe("repeatables", () => {
  it("run behind all versioned ones, by name", async () => {
    const { godwit } = await testProject({
      "a_view.repeatable.sql": view("a", 1),
      "b_view.repeatable.sql": "CREATE OR REPLACE VIEW b AS SELECT * FROM a, t;",
      "zz_last.sql": table("t"),
      "0_first.sql": table("s"),
    });
    const run = godwit.up();
    expect(idsOf(await run)).toEqual(["0_first", "zz_last", "a_view", "b_view"]);
    expect((await eventsOf(run, "migration.started")).map(({ index, total }) => `${index}/${total}`)).toEqual(
      ["1/4", "2/4", "3/4", "4/4"],
    );
  });

  it("run again only when their text changed, comments included", async () => {
    const { godwit, write, database } = await testProject({
      "1_t.sql": table("t"),
      "v.repeatable.sql": view("v", 1),
    });
    await godwit.up();
    expect(idsOf(await godwit.up())).toEqual([]);
    await write({ "v.repeatable.sql": view("v", 2) });
    expect(await statesOf(godwit)).toEqual(["1_t: applied", "v: pending"]);
    expect(idsOf(await godwit.up())).toEqual(["v"]);
    expect(await database.query("SELECT x FROM v")).toEqual([{ x: 2 }]);
    await write({ "v.repeatable.sql": view("v", 2).replaceAll("\n", "\r\n") });
    expect(idsOf(await godwit.up())).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_t: applied", "v: applied"]);
  });

  it("do not run with --to or --step while something is left pending", async () => {
    const { godwit } = await testProject({
      "1_t.sql": table("t"),
      "2_s.sql": table("s"),
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT t.id AS x, s.id AS y FROM t, s;",
    });
    expect((await godwit.plan({ to: "1_t" })).plans[0]?.migrations.map(({ id }) => id)).toEqual(["1_t"]);
    expect(idsOf(await godwit.up({ to: "1_t" }))).toEqual(["1_t"]);
    expect(idsOf(await godwit.up({ to: "1_t" }))).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_t: applied", "2_s: pending", "v: pending"]);
    expect(idsOf(await godwit.up())).toEqual(["2_s", "v"]);
  });

  it("do not run behind a failure", async () => {
    const { godwit } = await testProject({ "1_t.sql": "SELECT 1/0;", "v.repeatable.sql": view("v", 1) });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await statesOf(godwit)).toEqual(["1_t: failed", "v: pending"]);
  });

  it("that fail are failed, and tried again", async () => {
    const { godwit, write } = await testProject({
      "1_t.sql": table("t"),
      "v.repeatable.sql": view("v", "nothing"),
    });
    const error = await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(error.result).toMatchObject({ total: 1 });
    expect(await statesOf(godwit)).toEqual(["1_t: applied", "v: failed"]);
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "v.repeatable.sql": view("v", 1) });
    expect(idsOf(await godwit.up())).toEqual(["v"]);
  });

  it("keep the old one in place where the new one fails", async () => {
    const { godwit, write, database } = await testProject({ "v.repeatable.sql": view("v", 1) });
    await godwit.up();
    await write({ "v.repeatable.sql": `DROP VIEW v;\n${view("v", "1/0")}` });
    await godwit.up();
    await write({ "v.repeatable.sql": `DROP VIEW v;\n${view("v", "nothing")}` });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await tablesOf(database)).toEqual(["v"]);
  });

  it("are all there is in some folders", async () => {
    const { godwit, database } = await testProject({ "v.repeatable.sql": view("v", 1) });
    expect(idsOf(await godwit.up())).toEqual(["v"]);
    expect(await historyOf(database)).toMatchObject([{ id: "v", status: "completed" }]);
    expect((await godwit.wait({ timeoutMs: 0 })).reached).toBe(true);
    expect((await godwit.down()).total).toBe(0);
  });

  it("are not run by a database that is ahead of the files, and that is said", async () => {
    const { godwit, write, remove } = await testProject({
      "1_t.sql": table("t"),
      "2_s.sql": table("s"),
      "v.repeatable.sql": view("v", 1),
    });
    await godwit.up();
    await remove("2_s.sql");
    await write({ "v.repeatable.sql": view("v", 2) });
    const run = godwit.up();
    expect((await run).total).toBe(0);
    expect((await run).targets[0]?.warnings).toContainEqual(expect.stringContaining("ahead of the files"));
    expect(await eventsOf(run, "lock.acquired")).toEqual([]);
    expect((await godwit.plan()).plans[0]?.migrations).toEqual([]);
  });

  it("that were superseded are not put back, unless told to", async () => {
    const { godwit, write, database } = await testProject({ "v.repeatable.sql": view("v", 1) });
    await godwit.up();
    await write({ "v.repeatable.sql": view("v", 2) });
    await godwit.up();
    await write({ "v.repeatable.sql": view("v", 1) });
    const run = godwit.up();
    expect((await run).total).toBe(0);
    expect(await eventsOf(run, "warning")).toMatchObject([
      { hint: expect.stringContaining("godwit up --reapply") },
    ]);
    expect(await eventsOf(run, "lock.acquired")).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["v: applied, superseded"]);
    expect((await godwit.status()).targets[0]).toMatchObject({ code: "OK", counts: { pending: 0 } });
    expect((await godwit.plan()).plans[0]?.migrations).toEqual([]);
    expect((await godwit.plan({ reapply: true })).plans[0]?.migrations).toMatchObject([{ id: "v" }]);
    expect(idsOf(await godwit.up({ reapply: true }))).toEqual(["v"]);
    expect(await database.query("SELECT x FROM v")).toEqual([{ x: 1 }]);
    expect(await statesOf(godwit)).toEqual(["v: applied"]);
    expect(idsOf(await godwit.up())).toEqual([]);
  });

  it("are due again once something was taken back", async () => {
    const { godwit, database } = await testProject({
      "1_t.sql": table("t"),
      "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT * FROM t;",
    });
    await godwit.up();
    await godwit.down();
    expect(await tablesOf(database)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_t: pending, rolled_back", "v: pending, rolled_back"]);
    expect(idsOf(await godwit.up())).toEqual(["1_t", "v"]);
    expect(await tablesOf(database)).toEqual(["t", "v"]);
  });

  it("may have steps of their own", async () => {
    const { godwit, write, database } = await testProject({
      "1_t.sql": table("t"),
      "v.repeatable.sql":
        "DROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY i ON t (id);\nCREATE OR REPLACE VIEW v AS SELECT 1 AS x;\n",
    });
    expect(idsOf(await godwit.up())).toEqual(["1_t", "v"]);
    await write({
      "v.repeatable.sql":
        "DROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY i ON t (id, id);\nCREATE OR REPLACE VIEW v AS SELECT nothing AS x;\n",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({
      "v.repeatable.sql":
        "DROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY i ON t (id);\nCREATE OR REPLACE VIEW v AS SELECT 1 AS x;\n",
    });
    await godwit.up({ reapply: true });
    expect(await database.query("SELECT indexdef FROM pg_indexes WHERE indexname = 'i'")).toMatchObject([
      { indexdef: expect.stringContaining("(id)") },
    ]);
  });

  it("whose file is gone stay, and are shown as such", async () => {
    const { godwit, remove } = await testProject({ "1_t.sql": table("t"), "v.repeatable.sql": view("v", 1) });
    await godwit.up();
    await remove("v.repeatable.sql");
    expect(await statesOf(godwit)).toEqual(["1_t: applied", "v: applied, file_missing"]);
    expect((await godwit.up()).total).toBe(0);
    const { repaired } = await godwit.repair({ action: "forget", ids: ["v"], reason: "dropped" });
    expect(repaired).toHaveLength(1);
    expect(await statesOf(godwit)).toEqual(["1_t: applied"]);
  });

  it("have no sections, no way down and no code", async () => {
    const { godwit, write, remove } = await testProject({
      "1_t.sql": table("t"),
      "v.repeatable.sql": table("v"),
    });
    await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    await write({ "v.repeatable.sql": `-- godwit:requires 1_t\n${view("v", 1)}` });
    await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    await remove("v.repeatable.sql");
    await write({ "v.repeatable.ts": "export const up = () => {};" });
    const error = await failureOf(godwit.up(), "MIGRATION_MALFORMED");
    expect(error.message).toContain("must be SQL");
  });
});
