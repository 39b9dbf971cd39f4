import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Godwit } from "../../../src/index.ts";
import {
  eventsOf,
  failureOf,
  hasHistory,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testProject,
} from "../../support/project.ts";

const both = (name: string, columns = "id int"): string =>
  `-- migrate:up\nCREATE TABLE ${name} (${columns});\n-- migrate:down\nDROP TABLE ${name};\n`;
const two = { "1_a.sql": both("a"), "2_b.sql": both("b") };
const HALF = "CREATE TABLE h (id int);\nCREATE INDEX CONCURRENTLY i ON h (id);\nSELECT 1/0;\n";

async function lastAct(godwit: Godwit): Promise<unknown> {
  const { targets } = await godwit.history();
  return targets[0]?.entries.findLast(({ event }) => event.startsWith("repair."));
}

describe("repair without an action", () => {
  it("puts back the files of one migration alone, whatever it is made of", async () => {
    const code = "export async function up() {}\nexport const irreversible = 'kept';\n";
    const { godwit, write, remove } = await testProject({
      "1_a/up.sql": "CREATE TABLE a (id int);",
      "2_b/up.sql": "CREATE TABLE b (id int);",
      "3_c.ts": code,
      "4_d.ts": code,
      "5_h.sql": HALF,
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await remove("1_a", "3_c.ts", "5_h.sql");
    await write({ "2_b/up.sql": "CREATE TABLE b (id bigint);", "4_d.ts": `// edited\n${code}` });
    const { remaining } = await godwit.repair();
    const commands = remaining.flatMap(({ choices }) => choices.map(({ command }) => command));
    expect(commands.filter((command) => command.startsWith("git")).toSorted()).toEqual([
      "git checkout <commit> -- 'migrations/3_c.*'",
      "git checkout <commit> -- migrations/1_a",
      "git checkout <commit> -- migrations/2_b",
      "git checkout <commit> -- migrations/4_d.ts",
      "git checkout <commit> -- migrations/5_h.sql",
    ]);
  });

  it("says of a repeatable that it is run from its beginning, as it is", async () => {
    const { godwit } = await testProject({
      "h.repeatable.sql": HALF.replace("h (id int)", "IF NOT EXISTS h (id int)"),
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    const { remaining } = await godwit.repair();
    expect(remaining.map(({ id, choices }) => [id, choices[0]?.command, choices[0]?.effect])).toEqual([
      ["h", "godwit up", "runs it from its beginning, as any repeatable; nothing has to be decided"],
    ]);
    const again = godwit.up();
    await failureOf(again, "MIGRATION_FAILED");
    expect((await eventsOf(again, "statement.started")).map(({ ordinal }) => ordinal)).toContain(1);
  });

  it("tells what needs a person, with the commands to choose from, and changes nothing", async () => {
    const { godwit, write, remove, database } = await testProject({
      ...two,
      "3_c.sql": both("c"),
      "4_d.sql": HALF,
    });
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    await write({ "1_a.sql": both("a", "id bigint"), "3_c.sql": `-- c\n${both("c")}` });
    await remove("2_b.sql");
    const before = await database.query("SELECT * FROM godwit.migrations ORDER BY id");
    const { runId, repaired, remaining } = await godwit.repair();
    expect([runId, repaired]).toEqual([null, []]);
    expect(
      remaining.map(({ id, problem, choices }) => [id, problem, choices.map(({ command }) => command)]),
    ).toEqual([
      [
        "4_d",
        "half_applied",
        [
          "godwit up",
          'godwit repair mark-applied 4_d --reason "…"',
          'godwit repair mark-not-applied 4_d --reason "…"',
        ],
      ],
      [
        "1_a",
        "checksum",
        ["git checkout <commit> -- migrations/1_a.sql", 'godwit repair accept-checksum 1_a --reason "…"'],
      ],
      [
        "3_c",
        "checksum",
        ["git checkout <commit> -- migrations/3_c.sql", 'godwit repair accept-checksum 3_c --reason "…"'],
      ],
      [
        "2_b",
        "missing",
        ["git checkout <commit> -- migrations/2_b.sql", 'godwit repair forget 2_b --reason "…"'],
      ],
    ]);
    expect(remaining[0]?.explanation).toBe("2 steps of its up are done");
    expect(remaining.map(({ needsPerson }) => needsPerson)).toEqual([false, true, false, true]);
    expect(await database.query("SELECT * FROM godwit.migrations ORDER BY id")).toEqual(before);
  });

  it("finds nothing where all is well, or where there is nothing", async () => {
    const { godwit, database } = await testProject(two);
    expect((await godwit.repair()).remaining).toEqual([]);
    expect(await hasHistory(database)).toBe(false);
    await godwit.up();
    expect((await godwit.repair()).remaining).toEqual([]);
  });
});

describe("accept-checksum", () => {
  it("stores the file as it is now, with the reason in the log", async () => {
    const { godwit, write, database } = await testProject(two);
    await godwit.up();
    await write({ "1_a.sql": both("a", "id bigint") });
    await database.query("ALTER TABLE a ALTER id TYPE bigint");
    const result = await godwit.repair({
      action: "accept-checksum",
      ids: ["1_a"],
      reason: "changed by hand",
    });
    expect(result).toMatchObject({
      repaired: [{ target: "default", id: "1_a", action: "accept-checksum" }],
      remaining: [],
    });
    expect(await lastAct(godwit)).toMatchObject({
      event: "repair.checksum_accepted",
      level: "warning",
      id: "1_a",
      runId: result.runId,
      details: { reason: "changed by hand", status: "completed" },
    });
    expect((await godwit.up()).total).toBe(0);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null, changed: [] });
  });

  it("keeps when, by whom and in which order it was applied", async () => {
    const { godwit, write, database } = await testProject(two);
    await godwit.up();
    const sql = "SELECT applied_seq, applied_at, applied_by, execution_ms FROM godwit.migrations ORDER BY id";
    const before = await database.query(sql);
    await write({ "1_a.sql": `-- a\n${both("a")}` });
    await godwit.repair({ action: "accept-checksum", ids: ["1_a"], reason: "a comment" });
    expect(await database.query(sql)).toEqual(before);
    expect(idsOf(await godwit.down())).toEqual(["2_b"]);
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it("acts on all that were edited when no id is given, baselines among them", async () => {
    const { godwit, write } = await testProject({ ...two, "3_c.sql": both("c") });
    await godwit.baseline({ id: "1_a" });
    await godwit.up();
    await write({ "1_a.sql": both("x"), "3_c.sql": `-- c\n${both("c")}` });
    const { repaired } = await godwit.repair({ action: "accept-checksum", reason: "all of them" });
    expect(repaired.map(({ id }) => id)).toEqual(["1_a", "3_c"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied, baseline", "2_b: applied", "3_c: applied"]);
  });

  it("takes over the new way down", async () => {
    const { godwit, write, database } = await testProject(two);
    await godwit.up();
    await write({ "2_b.sql": both("b").replace("DROP TABLE b", "ALTER TABLE b RENAME TO b_old") });
    await godwit.repair({ action: "accept-checksum", ids: ["2_b"], reason: "keep the rows" });
    expect((await godwit.down()).targets[0]?.warnings).toEqual([]);
    expect(await tablesOf(database)).toEqual(["a", "b_old"]);
  });

  it("takes over what the file requires by now", async () => {
    const { godwit, write } = await testProject({ ...two, "3_c.sql": both("c") });
    await godwit.up();
    await write({ "3_c.sql": `-- godwit:requires 1_a\n${both("c")}` });
    await godwit.repair({ action: "accept-checksum", ids: ["3_c"], reason: "it says more" });
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied", "3_c: applied"]);
  });

  it("refuses what does not fit, and a malformed file", async () => {
    const { godwit, write, remove } = await testProject(two);
    await godwit.up({ to: "1_a" });
    const act = (id: string) => godwit.repair({ action: "accept-checksum", ids: [id], reason: "x" });
    await failureOf(act("2_b"), "NEEDS_REPAIR");
    await failureOf(act("2_bb"), "MIGRATION_UNKNOWN");
    await write({ "1_a.sql": "CREATE TABEL a;" });
    await failureOf(act("1_a"), "MIGRATION_MALFORMED");
    await remove("1_a.sql");
    expect((await failureOf(act("1_a"), "NEEDS_REPAIR")).message).toContain("has no file");
  });
});

describe("forget", () => {
  it("removes a vanished one from the history and leaves what it made", async () => {
    const { godwit, remove, database } = await testProject(two);
    await godwit.up();
    await remove("1_a.sql");
    await godwit.repair({ action: "forget", ids: ["1_a"], reason: "squashed" });
    expect(await lastAct(godwit)).toMatchObject({
      event: "repair.forgotten",
      details: { reason: "squashed" },
    });
    expect(await historyOf(database)).toMatchObject([{ id: "2_b" }]);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
    const { targets } = await godwit.up();
    expect(targets[0]?.warnings).toEqual([]);
  });

  it("acts on all vanished ones when no id is given", async () => {
    const { godwit, remove } = await testProject({ ...two, "3_c.sql": both("c") });
    await godwit.up();
    await remove("1_a.sql", "2_b.sql");
    const { repaired } = await godwit.repair({ action: "forget", reason: "squashed" });
    expect(repaired.map(({ id }) => id)).toEqual(["1_a", "2_b"]);
    expect(await statesOf(godwit)).toEqual(["3_c: applied"]);
  });

  it("does not take a missing folder for files that vanished", async () => {
    const { godwit, open, root } = await testProject(two);
    await godwit.up();
    const elsewhere = await open({ migrations: join(root, "migration") });
    await failureOf(elsewhere.repair({ action: "forget", reason: "squashed" }), "MIGRATIONS_NOT_FOUND");
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: applied"]);
  });

  it("refuses one whose file is there", async () => {
    const { godwit } = await testProject(two);
    await godwit.up();
    const error = await failureOf(
      godwit.repair({ action: "forget", ids: ["1_a"], reason: "x" }),
      "NEEDS_REPAIR",
    );
    expect(error.message).toContain("mark-not-applied");
    await failureOf(godwit.repair({ action: "forget", ids: ["9_z"], reason: "x" }), "MIGRATION_UNKNOWN");
  });
});

describe("mark-applied and mark-not-applied", () => {
  it("declare a pending one done", async () => {
    const { godwit, database } = await testProject(two);
    await godwit.up({ to: "1_a" });
    await database.query("CREATE TABLE b (id int)");
    await godwit.repair({ action: "mark-applied", ids: ["2_b"], reason: "made by hand" });
    expect(await lastAct(godwit)).toMatchObject({
      event: "repair.marked_applied",
      details: { reason: "made by hand" },
    });
    expect((await godwit.up()).total).toBe(0);
    expect(idsOf(await godwit.down())).toEqual(["2_b"]);
    expect(await tablesOf(database)).toEqual(["a"]);
  });

  it("declare an applied one undone", async () => {
    const { godwit, database } = await testProject(two);
    await godwit.up();
    await database.query("DROP TABLE b");
    await godwit.repair({ action: "mark-not-applied", ids: ["2_b"], reason: "dropped by hand" });
    expect(await lastAct(godwit)).toMatchObject({ event: "repair.marked_not_applied" });
    expect(idsOf(await godwit.up())).toEqual(["2_b"]);
    expect(await tablesOf(database)).toEqual(["a", "b"]);
  });

  it("end a half applied one either way, and its ledger with it", async () => {
    for (const action of ["mark-applied", "mark-not-applied"] as const) {
      const { godwit, database, write } = await testProject({ "1_h.sql": HALF });
      await failureOf(godwit.up(), "MIGRATION_FAILED");
      if (action === "mark-not-applied") await database.query("DROP TABLE h");
      await write({ "1_h.sql": HALF.replace("SELECT 1/0;\n", "") });
      const { remaining } = await godwit.repair({ action, ids: ["1_h"], reason: "looked at it" });
      expect(remaining).toEqual([]);
      expect(await database.query("SELECT * FROM godwit.migration_steps")).toEqual([]);
      expect((await godwit.up()).total).toBe(action === "mark-applied" ? 0 : 1);
      expect(await tablesOf(database)).toEqual(["h"]);
      expect((await godwit.status()).targets[0]?.code).toBe("OK");
    }
  });

  it("work without a history yet", async () => {
    const { godwit } = await testProject(two);
    await godwit.repair({ action: "mark-applied", ids: ["1_a"], reason: "there before" });
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);
  });

  it("work for a repeatable", async () => {
    const { godwit, database } = await testProject({
      ...two,
      "v.repeatable.sql": "CREATE VIEW v AS SELECT 1 AS one;",
    });
    await database.query("CREATE VIEW v AS SELECT 1 AS one");
    await godwit.repair({ action: "mark-applied", ids: ["v"], reason: "there before" });
    expect(await statesOf(godwit)).toContain("v: applied");
    expect(idsOf(await godwit.up())).toEqual(["1_a", "2_b"]);
    await database.query("DROP VIEW v");
    await godwit.repair({ action: "mark-not-applied", ids: ["v"], reason: "dropped" });
    expect(idsOf(await godwit.up())).toEqual(["v"]);
  });

  it("are refused where they do not fit", async () => {
    const { godwit, remove } = await testProject(two);
    await godwit.up({ to: "1_a" });
    const act = (action: "mark-applied" | "mark-not-applied", ids?: string[]) =>
      godwit.repair({ action, reason: "x", ...(ids === undefined ? {} : { ids }) });
    await failureOf(act("mark-applied", ["1_a"]), "NEEDS_REPAIR");
    await failureOf(act("mark-not-applied", ["2_b"]), "NEEDS_REPAIR");
    await failureOf(act("mark-applied", ["3_c"]), "MIGRATION_UNKNOWN");
    await failureOf(act("mark-applied"), "USAGE");
    await failureOf(act("mark-not-applied", []), "USAGE");
    await remove("1_a.sql");
    await act("mark-not-applied", ["1_a"]);
    expect((await failureOf(act("mark-applied", ["1_a"]), "NEEDS_REPAIR")).message).toContain("no file");
  });

  it("are all or nothing: one id that does not fit refuses the others too", async () => {
    const { godwit } = await testProject(two);
    await godwit.up({ to: "1_a" });
    await failureOf(
      godwit.repair({ action: "mark-applied", ids: ["2_b", "1_a"], reason: "x" }),
      "NEEDS_REPAIR",
    );
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending"]);
  });
});

describe("a reason", () => {
  it.each([undefined, "", "  \n"])("must be given: %o is none", async (reason) => {
    const { godwit, database } = await testProject(two);
    const error = await failureOf(
      godwit.repair({ action: "mark-applied", ids: ["1_a"], ...(reason === undefined ? {} : { reason }) }),
      "USAGE",
    );
    expect(error.hint).toContain("--reason");
    expect(await hasHistory(database)).toBe(false);
  });

  it("is kept as it was written", async () => {
    const { godwit } = await testProject(two);
    const reason = `"quoted" 'twice' \\ $1 %s \u{1F600}\n-- second line; DROP TABLE a`;
    await godwit.repair({ action: "mark-applied", ids: ["1_a"], reason });
    expect(await lastAct(godwit)).toMatchObject({ details: { reason } });
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });
});
