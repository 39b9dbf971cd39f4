import { describe, expect, it } from "vitest";
import { failureOf, hasHistory, testProject } from "../../support/project.ts";

describe("graph", () => {
  it("lists every migration in the order of application with what it requires", async () => {
    const { godwit, database } = await testProject({
      "1_first_table.sql": "SELECT 1;",
      "2_b.sql": "-- godwit:requires 3_c 1_first_table\nSELECT 1;",
      "3_c.sql": "-- godwit:requires 1_first_table\n-- godwit:description the third\nSELECT 1;",
      "4_d/up.sql": "SELECT 1;",
      "5_e.mjs": "export const requires = ['4_d'];\nexport const up = () => {};\n",
      "v.repeatable.sql": "SELECT 1;",
    });
    const { nodes } = await godwit.graph();
    expect(nodes).toEqual([
      { stream: "default", id: "1_first_table", description: "first table", requires: [], state: "pending" },
      {
        stream: "default",
        id: "3_c",
        description: "the third",
        requires: ["1_first_table"],
        state: "pending",
      },
      {
        stream: "default",
        id: "2_b",
        description: "b",
        requires: ["3_c", "1_first_table"],
        state: "pending",
      },
      { stream: "default", id: "4_d", description: "d", requires: ["3_c"], state: "pending" },
      { stream: "default", id: "5_e", description: "e", requires: ["4_d"], state: "pending" },
    ]);
    expect(await hasHistory(database)).toBe(false);
  });

  it("tells the state of each, or asks no database", async () => {
    const { godwit, open } = await testProject({
      "1_a.sql": "SELECT 1;",
      "2_b.sql": "CREATE TABLE b ();\nVACUUM b;\nSELECT 1/0;",
      "3_c.sql": "SELECT 1;",
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect((await godwit.graph()).nodes.map(({ state }) => state)).toEqual([
      "applied",
      "half_applied",
      "pending",
    ]);
    const nowhere = await open({ database: "postgresql://127.0.0.1:1/nothing" });
    expect((await nowhere.graph({ offline: true })).nodes.map(({ state }) => state)).toEqual([
      null,
      null,
      null,
    ]);
    await failureOf(nowhere.graph(), "DATABASE_UNREACHABLE");
  });

  it("explains a circle by its ids, before any database is asked", async () => {
    const { godwit, database, root } = await testProject({
      "1_a.sql": "-- godwit:requires 3_c\nSELECT 1;",
      "2_b.sql": "-- godwit:requires 1_a\nSELECT 1;",
      "3_c.sql": "-- godwit:requires 2_b\nSELECT 1;",
    });
    for (const run of [godwit.graph({ offline: true }), godwit.up(), godwit.plan()]) {
      const error = await failureOf(run, "GRAPH_CYCLE");
      for (const id of ["1_a", "2_b", "3_c"]) expect(`${error.message}\n${error.detail}`).toContain(id);
      expect(error.detail).toContain("  (migrations/1_a.sql)");
      expect(error.detail).not.toContain(root);
    }
    expect(await hasHistory(database)).toBe(false);
  });

  it("tells of a circle through the ids that a file without requirements stands behind", async () => {
    const { godwit } = await testProject({
      "1_a.sql": "-- godwit:requires 2_b\nSELECT 1;",
      "2_b.sql": "SELECT 1;",
    });
    const error = await failureOf(godwit.graph({ offline: true }), "GRAPH_CYCLE");
    expect(error.message).toMatch(/1_a.*2_b|2_b.*1_a/s);
  });

  it("explains every unknown id in one go, with what was probably meant", async () => {
    const { godwit, database } = await testProject({
      "1_users.sql": "SELECT 1;",
      "2_b.sql": "-- godwit:requires 1_user\nSELECT 1;",
      "3_c.sql": "SELECT 1;\n",
      "4_d.sql": "\n-- godwit:requires shared/1_users\nSELECT 1;",
    });
    for (const run of [godwit.graph({ offline: true }), godwit.up()]) {
      const error = await failureOf(run, "GRAPH_UNKNOWN_REQUIREMENT");
      expect(error.problems.map(({ location }) => location?.line)).toEqual([1, 2]);
      expect(error.problems[0]?.hint).toContain("1_users");
    }
    expect(await hasHistory(database)).toBe(false);
  });

  it("knows an applied one whose file is gone", async () => {
    const { godwit, remove, write } = await testProject({ "1_a.sql": "SELECT 1;", "2_b.sql": "SELECT 1;" });
    await godwit.up();
    await remove("1_a.sql");
    await write({ "3_c.sql": "-- godwit:requires 1_a 2_b\nSELECT 1;" });
    expect((await godwit.up()).total).toBe(1);
    expect((await godwit.graph()).nodes.map(({ id }) => id)).toEqual(["2_b", "3_c"]);
  });
});
